// `POST /api/v1/events` (protocol.md §8): authenticate, read, check, commit, answer.
import type { IncomingMessage } from "node:http";
import { type AuthOutcome, type Clock, type Identity, type Problem, sendProblem } from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { publishDirectly } from "./direct-publish.js";
import { deferContinue } from "./publish-continue.js";
import { PublishDoor } from "./publish-door.js";
import { draining } from "./publish-refusals.js";
import type { Publisher } from "./publisher.js";

/** What the route works with. */
export interface PublishRouteOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  /** Who sends the request; called once, before the body is read. */
  authenticate(request: IncomingMessage): Promise<AuthOutcome>;
  /** False while the service drains: every publish is then refused with 503. */
  isAccepting(): boolean;
  /**
   * Most bytes of bodies held at once, over all requests; default 64 MiB, and never less than one body. Past it 503.
   */
  readonly bodyBytesMax?: number;
  /** Told of a fault of ours, which is answered with 500. Must not throw. */
  onError(error: unknown): void;
}

const path = "/api/v1/events";

/** How much of a body that was refused unread is still taken in, so that its sender comes to read the answer; bytes. */
const discardBytesMax = 1_048_576;

/**
 * The route, as a fastify plugin; time for a body is bounded by the server's `requestTimeout`. Everything that can be
 * told from the head (identity, scope, encoding, length) is refused before a byte of the body is read.
 */
export async function publishRoute(app: FastifyInstance, options: PublishRouteOptions): Promise<void> {
  const { publisher } = options;
  const door = new PublishDoor(options);
  const identities = new WeakMap<FastifyRequest, Identity>();

  // The handler reads the body itself, whatever it is.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  const askForBody = deferContinue(app, path);
  const authenticatedBefore = publishDirectly(app, {
    door,
    path,
    isAccepting: () => options.isAccepting(),
    authenticate: (request) => options.authenticate(request),
    onError: (error) => options.onError(error),
  });

  app.post(
    path,
    {
      onRequest: async (request, reply) => {
        const problem = await refusalByHead(request);
        if (problem === undefined) return undefined;
        if (!isWorthDiscarding(request)) void reply.header("connection", "close");
        publisher.countRefusal(problem.name);
        return sendProblem(reply, problem);
      },
    },
    async (request, reply) => {
      askForBody(request.raw, reply.raw);
      const identity = identities.get(request);
      if (identity === undefined) throw new Error("a publish reached its handler without an identity");
      const answer = await door.publish(request.raw, identity);
      if (answer.ok) return sendJson(reply, answer.text);
      if (answer.closes) void reply.header("connection", "close");
      return sendProblem(reply, answer.problem);
    },
  );

  async function refusalByHead(request: FastifyRequest): Promise<Problem | undefined> {
    if (!options.isAccepting()) return draining;
    const { raw } = request;
    const judged = door.judge(raw, authenticatedBefore(raw) ?? (await options.authenticate(raw)));
    if (!judged.ok) return judged.problem;
    identities.set(request, judged.identity);
    return undefined;
  }
}

function isWorthDiscarding({ headers }: FastifyRequest): boolean {
  if (headers["transfer-encoding"] !== undefined || headers.expect !== undefined) return false;
  return Number(headers["content-length"] ?? 0) <= discardBytesMax;
}

function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.code(202).type("application/json; charset=utf-8").send(text);
}
