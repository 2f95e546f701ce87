// What becomes of a publish over HTTP, whoever parses the request and writes the answer: its head is judged before a
// byte of the body is read, then the body is read, checked and handed to the log.
import type { IncomingMessage } from "node:http";
import { type AuthOutcome, type Clock, type Identity, mayPublishAnything, type Problem } from "@sluice/runtime";
import { BodyBudget, type UserBudget } from "./body-budget.js";
import { parsePublishBody } from "./parse-publish-body.js";
import {
  aborted,
  bodyTooLarge,
  encodedContent,
  logRefusals,
  noRoom,
  notAuthenticated,
  withoutScope,
} from "./publish-refusals.js";
import type { CommitOutcome, Publisher } from "./publisher.js";
import { readPublishBody } from "./read-publish-body.js";

/** What the door works with, and its bound. */
export interface PublishDoorOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  /**
   * Most bytes of bodies held at once, over all requests; default 64 MiB, and never less than one body. The last
   * quarter is for users who hold no more than that. Past it 503.
   */
  readonly bodyBytesMax?: number | undefined;
}

const bodyBytesMaxDefault = 67_108_864;

/** What a publish is answered with: 202 with its JSON, or a problem, after which `closes` ends the connection. */
export type PublishAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem; readonly closes: boolean };

/** Whom a head lets in, or what it is refused with. */
export type HeadJudgement =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly problem: Problem };

/** One for all publishes of a service, as it bounds the bytes of their bodies. */
export class PublishDoor {
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  readonly #budget: BodyBudget;

  constructor({ publisher, clock, bodyBytesMax = bodyBytesMaxDefault }: PublishDoorOptions) {
    this.#publisher = publisher;
    this.#clock = clock;
    this.#budget = new BodyBudget(bodyBytesMax, publisher.limits.publish_body_bytes);
  }

  /** Judges by identity, scope, encoding and length. */
  judge({ headers }: IncomingMessage, authenticated: AuthOutcome): HeadJudgement {
    const { limits } = this.#publisher;
    if (!authenticated.ok) return refuse(notAuthenticated(authenticated));
    if (!mayPublishAnything(authenticated.identity.rights)) return refuse(withoutScope());
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding.toLowerCase() !== "identity") return refuse(encodedContent);
    const length = Number(headers["content-length"] ?? 0);
    if (length > limits.publish_body_bytes) return refuse(bodyTooLarge(limits));
    const { userId } = authenticated.identity;
    return this.#budget.hasRoomFor(userId, length) ? authenticated : refuse(noRoom);
  }

  /** Reads the body of a request that was let in, publishes what it holds and says what to answer. */
  async publish(request: IncomingMessage, identity: Identity): Promise<PublishAnswer> {
    const { limits } = this.#publisher;
    const budget = this.#budget.of(identity.userId);
    const read = await readPublishBody(request, limits.publish_body_bytes, budget);
    if (!read.ok) {
      const problem = { "too-large": bodyTooLarge(limits), "no-room": noRoom, aborted }[read.reason];
      return this.#refused(problem, true);
    }
    const parsed = await this.#parse(request, read.body, identity, budget);
    if (!parsed.ok) return this.#refused(parsed.problem, false);
    return answerTo(await this.#publisher.commit(parsed.drafts));
  }

  async #parse(
    request: IncomingMessage,
    body: Buffer,
    identity: Identity,
    budget: UserBudget,
  ): ReturnType<typeof parsePublishBody> {
    try {
      const { headers } = request;
      const publish = { contentType: headers["content-type"], headers, body };
      const rules = { limits: this.#publisher.limits, rights: identity.rights, clock: this.#clock };
      return await parsePublishBody(publish, rules);
    } finally {
      budget.giveBack(body.length);
    }
  }

  #refused(problem: Problem, closes: boolean): PublishAnswer {
    this.#publisher.countRefusal(problem.name);
    return { ok: false, problem, closes };
  }
}

function refuse(problem: Problem): HeadJudgement {
  return { ok: false, problem };
}

function answerTo(outcome: CommitOutcome): PublishAnswer {
  if (outcome.outcome === "unavailable") return { ok: false, problem: logRefusals[outcome.code], closes: false };
  const { accepted, firstSeq, lastSeq, duplicates } = outcome;
  const copies = duplicates > 0 ? `,"duplicates":${duplicates}` : "";
  return { ok: true, text: `{"accepted":${accepted},"first_seq":${firstSeq},"last_seq":${lastSeq}${copies}}` };
}
