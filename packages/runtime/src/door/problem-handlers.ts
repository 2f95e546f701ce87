// Makes fastify's and Node's own refusals problem details too: unknown paths, bodies it can't take, broken HTTP.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { problemTypes, type ProblemName } from "@sluice/protocol";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { encodeProblem, problemMediaType, sendProblem, type Problem } from "./problem.js";

/** What each of fastify's errors (docs/Reference/Errors.md) is to a caller. */
const problemByCode: Readonly<Record<string, Problem>> = {
  FST_ERR_BAD_URL: { name: "bad-request", detail: "The path is not well-formed" },
  FST_ERR_CTP_BODY_TOO_LARGE: { name: "body-too-large", detail: "The body is larger than this path takes" },
  FST_ERR_CTP_EMPTY_JSON_BODY: { name: "malformed-body", detail: "The body is empty" },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    name: "malformed-body",
    detail: "The body is not as long as Content-Length says",
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { name: "malformed-body", detail: "The body is not JSON" },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    name: "unsupported-media-type",
    detail: "This path does not take that content type",
  },
  FST_ERR_MAX_PARAM_LENGTH: { name: "not-found", detail: "A part of the path is longer than any that exists" },
};

const methods: readonly HTTPMethods[] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/**
 * Answers for every path that has no handler and every error that a handler throws, on this instance and those within.
 * An error that is no client's is logged with its text and answered without it. A known path with another method gets
 * 405 with `Allow`; this sees paths without parameters only, others get 404.
 */
export function registerProblemHandlers(app: FastifyInstance): void {
  app.setNotFoundHandler(async (request, reply) => sendProblem(reply, notFound(app, request)));
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const problem = problemOf(error);
    if (problem.name === "internal-error") request.log.error({ err: error }, "request failed");
    return sendProblem(reply, problem);
  });
}

/** Options of the fastify instance that do the same for what never reaches a route. */
export const problemServerOptions = {
  frameworkErrors(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
    void sendProblem(reply, problemOf(error));
  },
  clientErrorHandler(error: Error & { readonly code?: string }, socket: Socket): void {
    if (error.code === "ECONNRESET" || socket.destroyed) return;
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") endLater(socket);
    else endWith(closingResponse(error.code), socket);
  },
} as const;

function notFound(app: FastifyInstance, request: FastifyRequest): Problem {
  const path = request.url.split("?", 1)[0] ?? "";
  const allowed = methods.filter((method) => app.hasRoute({ method, url: path }));
  if (allowed.length === 0) return { name: "not-found", detail: "There is nothing at this path" };
  return {
    name: "method-not-allowed",
    detail: `This path takes ${allowed.join(", ")}`,
    allowed,
    headers: { allow: allowed.join(", ") },
  };
}

/** What a request gets that fails by a fault of ours: nothing of the error. */
export const faultProblem: Problem = {
  name: "internal-error",
  detail: "The request failed by a fault of this service",
};

function problemOf(error: FastifyError): Problem {
  const known = problemByCode[error.code];
  if (known !== undefined) return known;
  if (error.validation !== undefined) return invalidParameter(error);
  const isClients = error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500;
  if (isClients) return { name: "bad-request", detail: "The request is not one that this path takes" };
  return faultProblem;
}

function invalidParameter(error: FastifyError): Problem {
  const first = error.validation?.[0];
  const missing = first?.params["missingProperty"];
  const field = typeof missing === "string" ? missing : first?.instancePath.slice(1).replaceAll("/", ".");
  const named = field === undefined || field === "" ? undefined : field;
  return { name: "invalid-parameter", detail: `${named ?? "A parameter"} is missing or malformed`, field: named };
}

function clientProblem(code: string | undefined): Problem {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { name: "request-timeout", detail: "The request did not arrive in time" };
    case "HPE_HEADER_OVERFLOW":
      return { name: "headers-too-large", detail: "The request's headers are too large" };
    default:
      return { name: "bad-request", detail: "The request is not well-formed HTTP" };
  }
}

/** Requests that came too late and are ended in one turn of the event loop; a thousand would hold up everybody. */
const lateEndedPerTurn = 20;
const late: Socket[] = [];

/** Node finds all late requests in one turn; they are ended over the next ones. */
function endLater(socket: Socket): void {
  late.push(socket);
  if (late.length === 1) setImmediate(endSomeLate);
}

function endSomeLate(): void {
  const text = closingResponse("ERR_HTTP_REQUEST_TIMEOUT");
  for (const socket of late.splice(0, lateEndedPerTurn)) endWith(text, socket);
  if (late.length > 0) setImmediate(endSomeLate);
}

function endWith(text: string, socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.writable) socket.write(text);
  socket.destroySoon();
}

const closingResponses = new Map<string, string>();

/** Encoded once for each problem: a thousand handshakes that drip in are ended in one turn. */
function closingResponse(code: string | undefined): string {
  const problem = clientProblem(code);
  const known = closingResponses.get(problem.name) ?? encodeClosingResponse(problem);
  closingResponses.set(problem.name, known);
  return known;
}

function encodeClosingResponse(problem: Problem): string {
  const body = encodeProblem(problem);
  const { status } = problemTypes[problem.name satisfies ProblemName];
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "connection: close",
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
