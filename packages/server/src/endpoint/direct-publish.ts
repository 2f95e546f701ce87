// Publishes that need nothing of a framework: a plain POST to the one path. Routing, hooks and a reply object are as
// much work as taking in a small event, so such a request goes from Node's server to the door and back; every other
// one, and every one whose head is to be refused, goes the ordinary way.
import type { IncomingMessage, ServerResponse } from "node:http";
import { problemTypes } from "@sluice/protocol";
import {
  type AuthOutcome,
  encodeProblem,
  faultProblem,
  type Identity,
  type Problem,
  problemMediaType,
} from "@sluice/runtime";
import type { FastifyInstance } from "fastify";
import type { PublishDoor } from "./publish-door.js";

/** Which requests are taken, and what becomes of them. */
export interface DirectPublishOptions {
  readonly door: PublishDoor;
  readonly path: string;
  readonly isAccepting: () => boolean;
  readonly authenticate: (request: IncomingMessage) => Promise<AuthOutcome>;
  /** Told of a fault of ours; must not throw. */
  readonly onError: (error: unknown) => void;
}

/**
 * Takes such requests from `app`. The result tells what was found out of a request that was handed on, so that who
 * sends it is asked once.
 */
export function publishDirectly(
  app: FastifyInstance,
  options: DirectPublishOptions,
): (request: IncomingMessage) => AuthOutcome | undefined {
  const { door, authenticate, onError } = options;
  const handedOn = new WeakMap<IncomingMessage, AuthOutcome>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const authenticated = await authenticate(request);
    const judged = door.judge(request, authenticated);
    if (judged.ok) return publish(request, response, judged.identity);
    handedOn.set(request, authenticated);
    app.routing(request, response);
  }

  async function publish(request: IncomingMessage, response: ServerResponse, identity: Identity): Promise<void> {
    try {
      const answered = await door.publish(request, identity);
      if (answered.ok) send(response, 202, jsonMediaType, answered.text);
      else sendProblem(response, answered.problem, answered.closes);
    } catch (error) {
      onError(error);
      sendProblem(response, faultProblem, false);
    }
  }

  app.server.removeAllListeners("request");
  app.server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (!isPlain(request, options.path) || !options.isAccepting()) return app.routing(request, response);
    answer(request, response).catch((error: unknown) => {
      onError(error);
      if (response.headersSent) response.destroy();
      else sendProblem(response, faultProblem, true);
    });
  });
  return (request) => handedOn.get(request);
}

/** As fastify has it. */
const jsonMediaType = "application/json; charset=utf-8";

/** No page of another origin, no body of unknown length, nothing in the query. */
function isPlain({ method, url, headers }: IncomingMessage, path: string): boolean {
  return (
    method === "POST" &&
    url === path &&
    headers.origin === undefined &&
    headers["content-length"] !== undefined &&
    headers["transfer-encoding"] === undefined
  );
}

function sendProblem(response: ServerResponse, problem: Problem, closes: boolean): void {
  for (const [name, value] of Object.entries(problem.headers ?? {})) response.setHeader(name, value);
  if (closes) response.setHeader("connection", "close");
  send(response, problemTypes[problem.name].status, problemMediaType, encodeProblem(problem));
}

function send(response: ServerResponse, status: number, mediaType: string, text: string): void {
  response.writeHead(status, { "content-type": mediaType, "content-length": Buffer.byteLength(text), vary: "Origin" });
  response.end(text);
}
