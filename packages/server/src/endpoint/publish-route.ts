// `POST /api/v1/events` (protocol.md §8): authenticate, read, check, commit, answer.
import {
  type AuthOutcome,
  ByteBudget,
  type Clock,
  type Identity,
  mayPublishAnything,
  type Problem,
  sendProblem,
} from "@sluice/runtime";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parsePublishBody } from "./parse-publish-body.js";
import { deferContinue } from "./publish-continue.js";
import {
  aborted,
  bodyTooLarge,
  draining,
  encodedContent,
  logRefusals,
  noRoom,
  notAuthenticated,
  withoutScope,
} from "./publish-refusals.js";
import type { CommitOutcome, Publisher } from "./publisher.js";
import { readPublishBody } from "./read-publish-body.js";

/** What the route works with. */
export interface PublishRouteOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  /** Who sends the request; called once, before the body is read. */
  authenticate(request: FastifyRequest): Promise<AuthOutcome>;
  /** False while the service drains: every publish is then refused with 503. */
  isAccepting(): boolean;
  /**
   * Most bytes of bodies held at once, over all requests; default 64 MiB, and never less than one body. Past it 503.
   */
  readonly bodyBytesMax?: number;
}

const path = "/api/v1/events";
const bodyBytesMaxDefault = 67_108_864;

/** How much of a body that was refused unread is still taken in, so that its sender comes to read the answer; bytes. */
const discardBytesMax = 1_048_576;

/**
 * The route, as a fastify plugin; time for a body is bounded by the server's `requestTimeout`. Everything that can be
 * told from the head (identity, scope, encoding, length) is refused before a byte of the body is read.
 */
export async function publishRoute(app: FastifyInstance, options: PublishRouteOptions): Promise<void> {
  const { publisher, clock } = options;
  const { limits } = publisher;
  const budget = new ByteBudget(Math.max(options.bodyBytesMax ?? bodyBytesMaxDefault, limits.publish_body_bytes));
  const identities = new WeakMap<FastifyRequest, Identity>();

  // The handler reads the body itself, whatever it is.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  const askForBody = deferContinue(app, path);

  function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
    publisher.countRefusal(problem.name);
    return sendProblem(reply, problem);
  }

  app.post(
    path,
    {
      onRequest: async (request, reply) => {
        const problem = await refusalByHead(request);
        if (problem === undefined) return undefined;
        if (!isWorthDiscarding(request)) void reply.header("connection", "close");
        return refuse(reply, problem);
      },
    },
    async (request, reply) => {
      askForBody(request.raw, reply.raw);
      const read = await readPublishBody(request.raw, limits.publish_body_bytes, budget);
      if (!read.ok) {
        void reply.header("connection", "close");
        return refuse(reply, { "too-large": bodyTooLarge(limits), "no-room": noRoom, aborted }[read.reason]);
      }
      const parsed = await parse(request, read.body);
      if (!parsed.ok) return refuse(reply, parsed.problem);
      return answer(reply, await publisher.commit(parsed.drafts));
    },
  );

  async function refusalByHead(request: FastifyRequest): Promise<Problem | undefined> {
    if (!options.isAccepting()) return draining;
    const authenticated = await options.authenticate(request);
    if (!authenticated.ok) return notAuthenticated(authenticated);
    if (!mayPublishAnything(authenticated.identity.rights)) return withoutScope();
    identities.set(request, authenticated.identity);
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding.toLowerCase() !== "identity") return encodedContent;
    const length = Number(request.headers["content-length"] ?? 0);
    if (length > limits.publish_body_bytes) return bodyTooLarge(limits);
    return budget.hasRoomFor(length) ? undefined : noRoom;
  }

  async function parse(request: FastifyRequest, body: Buffer): ReturnType<typeof parsePublishBody> {
    const identity = identities.get(request);
    if (identity === undefined) throw new Error("a publish reached its handler without an identity");
    try {
      const { headers } = request;
      const publish = { contentType: headers["content-type"], headers, body };
      return await parsePublishBody(publish, { limits, rights: identity.rights, clock });
    } finally {
      budget.giveBack(body.length);
    }
  }
}

function isWorthDiscarding({ headers }: FastifyRequest): boolean {
  if (headers["transfer-encoding"] !== undefined || headers.expect !== undefined) return false;
  return Number(headers["content-length"] ?? 0) <= discardBytesMax;
}

function answer(reply: FastifyReply, outcome: CommitOutcome): FastifyReply {
  if (outcome.outcome === "unavailable") return sendProblem(reply, logRefusals[outcome.code]);
  const { accepted, firstSeq, lastSeq, duplicates } = outcome;
  return reply
    .code(202)
    .send({ accepted, first_seq: firstSeq, last_seq: lastSeq, ...(duplicates > 0 && { duplicates }) });
}
