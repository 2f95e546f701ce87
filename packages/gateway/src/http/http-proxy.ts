// The HTTP interface of the services (protocol §8), Server-Sent Events too, through the door: authenticated here, carried by
// undici with backpressure both ways.
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { type Clock, pathOf, type Problem, type RequireIdentity, sendProblem } from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Agent } from "undici";
import type { Caller } from "../admission/callers.js";
import type { DoorRules } from "../admission/door-rules.js";
import type { Backend } from "../backends/backend.js";
import type { BackendPool } from "../backends/backend-pool.js";
import type { GatewayTally } from "../gateway-tally.js";
import { forwardedHeaders, httpHeaders } from "../handshake/forwarded-headers.js";
import { forwardedTarget } from "../handshake/forwarded-target.js";
import { BodyTooLargeError, boundedBody } from "./bounded-body.js";

/** How long a backend may take to accept a connection, ms. */
const connectMs = 3_000;
/** How long it may take to begin its answer, ms: the largest publish on a busy disk. */
const headersMs = 60_000;
/** How long an answer that has begun may be silent, ms; longer than any heartbeat of a stream. */
const silenceMs = 300_000;
const triesMax = 3;

export interface HttpProxyOptions {
  readonly clock: Clock;
  readonly pool: BackendPool;
  readonly tally: GatewayTally;
  readonly rules: () => DoorRules;
  readonly requireIdentity: RequireIdentity<Caller>;
  readonly authorizationFor: (caller: Caller) => Promise<string | undefined>;
  /** `limits.publish_body_bytes`. */
  readonly bodyBytesMax: number;
  readonly onBackendFailure: (backend: Backend, failure: string) => void;
}

/** A request as every backend that is tried gets it. */
interface Forwarded {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly headers: Record<string, string>;
  readonly hasBody: boolean;
  readonly signal: AbortSignal;
}

/** RFC 9110 §7.6.1, and what this door says itself. */
const notPassedBack =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|access-control-.*|vary)$/;
const dotSegment = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;

const noBackend: Problem = { name: "unavailable", detail: "No backend is available", headers: { "retry-after": "1" } };
const lostBackend: Problem = { name: "bad-gateway", detail: "The service behind the gateway was lost in the middle" };

export class HttpProxy {
  readonly #options: HttpProxyOptions;
  readonly #agent = new Agent({ connect: { timeout: connectMs }, headersTimeout: headersMs, bodyTimeout: silenceMs });

  constructor(options: HttpProxyOptions) {
    this.#options = options;
  }

  register(app: FastifyInstance): void {
    app.all("/api/v1/*", (request, reply) => this.#handle(request, reply));
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  /** What a backend gets of a request's headers, and who it is told that asks. */
  async headersFor(request: FastifyRequest, caller: Caller): Promise<Record<string, string>> {
    const { rules, authorizationFor } = this.#options;
    return forwardedHeaders(request.raw, httpHeaders, {
      clientAddress: rules().clientAddress(request.raw),
      isTls: "encrypted" in request.raw.socket,
      authorization: await authorizationFor(caller),
    });
  }

  async #handle(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { bodyBytesMax, requireIdentity } = this.#options;
    const path = pathOf(request.raw.url);
    if (path === undefined || dotSegment.test(path)) {
      return sendProblem(reply, { name: "bad-request", detail: "The path is not well-formed" });
    }
    const caller = await requireIdentity(request, reply);
    if (caller === undefined) return reply;
    if (Number(request.headers["content-length"] ?? 0) > bodyBytesMax)
      return sendProblem(reply, tooLarge(bodyBytesMax));
    const abort = new AbortController();
    reply.raw.once("close", () => abort.abort());
    const headers = await this.headersFor(request, caller);
    const hasBody = bodyOf(request.raw);
    if (!hasBody) delete headers["content-length"];
    return this.#forward({ request, reply, headers, hasBody, signal: abort.signal });
  }

  async #forward(forwarded: Forwarded): Promise<unknown> {
    const { pool, tally } = this.#options;
    const { reply } = forwarded;
    const tried = new Set<Backend>();
    while (tried.size < triesMax) {
      const backend = pool.choose(tried);
      if (backend === undefined) break;
      if (tried.size > 0) tally.retries += 1;
      tried.add(backend);
      const problem = await this.#try(backend, forwarded);
      if (problem === "answered") return reply;
      if (problem !== "another") return sendProblem(reply, problem);
    }
    tally.refused.add("no-backend");
    return sendProblem(reply, noBackend);
  }

  /** What came of one backend: an answer, a problem to send, or reason to ask another. */
  async #try(backend: Backend, forwarded: Forwarded): Promise<"answered" | "another" | Problem> {
    const { reply, hasBody, signal } = forwarded;
    backend.connections += 1;
    try {
      await this.#exchange(backend, forwarded);
      return "answered";
    } catch (error) {
      if (signal.aborted || reply.raw.headersSent) {
        reply.raw.destroy();
        return "answered";
      }
      if (error instanceof BodyTooLargeError) return tooLarge(this.#options.bodyBytesMax);
      const failure = kindOf(error);
      this.#options.tally.backendErrors.add(failure);
      backend.failed(this.#options.clock.now());
      this.#options.onBackendFailure(backend, failure);
      if (failure !== "connect") return lostBackend;
      // Undici has begun to read the body: there is none for another backend.
      return hasBody ? noBackend : "another";
    } finally {
      backend.connections -= 1;
    }
  }

  async #exchange(backend: Backend, { request, reply, headers, hasBody, signal }: Forwarded): Promise<void> {
    this.#options.tally.requests += 1;
    const response = await this.#agent.request({
      origin: backend.url.origin,
      path: forwardedTarget(request.raw.url ?? "/", backend.url),
      method: request.method,
      headers: { ...headers, host: backend.url.host },
      body: hasBody ? boundedBody(request.raw, this.#options.bodyBytesMax) : null,
      signal,
    });
    backend.succeeded();
    reply.hijack();
    const own = Object.fromEntries(Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined));
    reply.raw.writeHead(response.statusCode, { ...passedBack(response.headers), ...own });
    // At once: a stream of events may have none for a while.
    reply.raw.flushHeaders();
    await pipeline(response.body, reply.raw);
  }
}

function bodyOf({ method, headers }: IncomingMessage): boolean {
  if (method === "GET" || method === "HEAD") return false;
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function passedBack(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const nominated = new Set((headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
  const passed: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !notPassedBack.test(name) && !nominated.has(name)) passed[name] = value;
  }
  return passed;
}

function tooLarge(allowed: number): Problem {
  return {
    name: "body-too-large",
    detail: "The body is larger than the gateway takes",
    allowed,
    headers: { connection: "close" },
  };
}

const connectCodes = new Set([
  "ECONNREFUSED",
  "UND_ERR_CONNECT_TIMEOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

function kindOf(error: unknown): "connect" | "timeout" | "protocol" {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (connectCodes.has(code)) return "connect";
  return code.endsWith("TIMEOUT") ? "timeout" : "protocol";
}
