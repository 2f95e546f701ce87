// The conversation on one connection: what a client says is read, checked against its rights and limits, and carried
// out. It knows no socket; how events travel is delivery's matter.

import { setImmediate as nextTurn } from "node:timers/promises";
import {
  closes,
  decodeCommand,
  subprotocol,
  wireTime,
  type Command,
  type ConnectedFrame,
  type ErrorCode,
  type ServerFrame,
  type SubscribeCommand,
  type UnsubscribeCommand,
} from "@sluice/protocol";
import { type Authenticator, type Clock, type Identity, TokenBucket, type TokenBucketOptions } from "@sluice/runtime";
import type { Consumer } from "../delivery/consumer.js";
import type { Delivery } from "../delivery/delivery.js";
import type { EventLog } from "../log/event-log.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { grantSubscriptions } from "./access.js";
import type { Beat, HeartbeatPort } from "./beat.js";
import type { ExpiryHandle, ExpiryPort, ExpiryWatch } from "./expiry-watch.js";
import type { HeartbeatManager } from "./heartbeat-manager.js";
import { Interests } from "./interests.js";
import type { PingFrames } from "./ping-frames.js";
import { planReplay } from "./plan-replay.js";
import type { SessionTally } from "./session-tally.js";

/** What all sessions of a process share. */
export interface SessionContext {
  readonly clock: Clock;
  readonly log: Pick<EventLog, "epoch" | "head" | "oldest" | "isShared" | "catchUp">;
  readonly delivery: Delivery;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly heartbeat: HeartbeatManager;
  readonly pingFrames: PingFrames;
  readonly expiry: ExpiryWatch;
  readonly authenticator: Authenticator;
  readonly tally: SessionTally;
  readonly greeting: Pick<ConnectedFrame, "heartbeat" | "buffer">;
  /** Code of the close after `heartbeat.max_missed` (`heartbeat.close_code`). */
  readonly heartbeatCloseCode: number;
  readonly commandRate: TokenBucketOptions;
  /** Told of a fault of ours while a command was carried out. */
  readonly onError: (error: unknown, connectionId: string) => void;
}

export interface SessionOptions {
  /** False for a one-way transport: taking a ping then counts as the answer to it. */
  readonly answersPings: boolean;
}

/** Refused commands that a client may send beyond its rate before it is put out; it regains one a second. */
const strikeRate: TokenBucketOptions = { perSecond: 1, burst: 100 };

/** Its own port of the heartbeat and of its token's expiry: of thousands, each has as few objects as can be. */
export class Session implements HeartbeatPort, ExpiryPort {
  readonly consumer: Consumer;
  readonly #context: SessionContext;
  readonly #interests = new Interests();
  readonly #commands: TokenBucket;
  readonly #strikes: TokenBucket;
  readonly #answersPings: boolean;
  readonly #beat: Beat;
  #expiry: ExpiryHandle;
  #identity: Identity;

  /** Greets the client; from here on the session receives. */
  constructor(
    context: SessionContext,
    consumer: Consumer,
    identity: Identity,
    { answersPings }: SessionOptions = { answersPings: true },
  ) {
    this.#context = context;
    this.consumer = consumer;
    this.#identity = identity;
    this.#answersPings = answersPings;
    this.#commands = new TokenBucket(context.commandRate, context.clock.now());
    this.#strikes = new TokenBucket(strikeRate, context.clock.now());
    context.delivery.add(consumer);
    this.#greet();
    this.#beat = context.heartbeat.register(consumer.id, identity.userId, this);
    this.#expiry = context.expiry.watch(this);
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** The connection has gone. */
  end(): void {
    this.#expiry.isOver = true;
    this.#context.heartbeat.unregister(this.consumer.id);
    this.#context.delivery.remove(this.consumer);
  }

  #greet(): void {
    const { clock, log, delivery, greeting } = this.#context;
    const { buffer } = this.consumer;
    this.#send({
      type: "connected",
      connection_id: this.consumer.id,
      user_id: this.#identity.userId,
      protocol: subprotocol,
      server_time: wireTime(clock.wall()),
      epoch: log.epoch,
      seq: delivery.routedSeq,
      policy: buffer.policy,
      heartbeat: greeting.heartbeat,
      buffer: { ...greeting.buffer, max_messages: buffer.maxMessages },
    });
  }

  get expiresAtMs(): number {
    return this.#identity.expiresAtMs;
  }

  notice(): void {
    this.#send({ type: "token_expiring", expires_at: wireTime(this.expiresAtMs) });
  }

  expire(): void {
    this.#context.delivery.close(this.consumer, closes.tokenExpired);
  }

  sendPing(): void {
    const { consumer } = this;
    const { clock, delivery, heartbeat, pingFrames } = this.#context;
    // A client that resumes hasn't said yet what it has missed: the head would promise it what it never got.
    delivery.ping(consumer, (seq) => pingFrames.frameFor(clock.wall(), consumer.set.size === 0 ? 0 : seq));
    if (!this.#answersPings && !consumer.isBlocked) heartbeat.answered(this.#beat);
  }

  timeOut(): void {
    this.#context.tally.heartbeatTimeouts += 1;
    const code = this.#context.heartbeatCloseCode;
    this.#context.delivery.close(this.consumer, { ...closes.heartbeatTimeout, code });
  }

  backlogProgress(): number | undefined {
    return this.consumer.isBlocked ? this.consumer.drains : undefined;
  }

  #send(frame: ServerFrame): void {
    this.#context.delivery.reply(this.consumer, frame);
  }

  #refuse(id: string | undefined, code: ErrorCode, message: string): void {
    this.#context.tally.countError(code);
    this.#send({ type: "error", ...(id === undefined ? {} : { id }), code, message });
  }

  /** Whether the client may give a command now; where it may not, that is answered. */
  #mayCommand(): boolean {
    if (this.consumer.isClosed) return false;
    const now = this.#context.clock.now();
    if (this.#commands.take(now)) return true;
    if (!this.#strikes.take(now)) this.#context.delivery.close(this.consumer, closes.policyViolation);
    else this.#refuse(undefined, "RATE_LIMITED", `more than ${this.#context.commandRate.perSecond} commands a second`);
    return false;
  }

  /** Takes a `pong` without a timestamp, as {@link receive} would its text. */
  receivePong(): void {
    if (!this.#mayCommand()) return;
    this.#context.tally.commands.pong += 1;
    this.#context.heartbeat.answered(this.#beat);
  }

  /** Takes one text message. Never throws: a fault of ours is told and answered. */
  receive(text: string): void {
    if (!this.#mayCommand()) return;
    const decoded = decodeCommand(text);
    if (!decoded.ok) {
      this.#refuse(decoded.problem.id, decoded.problem.code, decoded.problem.message);
      return;
    }
    this.#context.tally.commands[decoded.command.type] += 1;
    try {
      this.#carryOut(decoded.command);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown, id?: string): void {
    this.#context.onError(error, this.consumer.id);
    this.#refuse(id, "INTERNAL_ERROR", "the command could not be carried out");
  }

  #carryOut(command: Command): void {
    switch (command.type) {
      case "pong":
        this.#context.heartbeat.answered(this.#beat);
        return;
      case "ping": {
        const { timestamp } = command;
        const server_time = wireTime(this.#context.clock.wall());
        this.#send({ type: "pong", ...(timestamp === undefined ? {} : { timestamp }), server_time });
        return;
      }
      case "subscribe":
        this.subscribe(command);
        return;
      case "unsubscribe":
        this.#unsubscribe(command);
        return;
      case "refresh":
        this.#refresh(command.id, command.token).catch((error: unknown) => this.#fail(error, command.id));
    }
  }

  /**
   * Carries out one `subscribe`; the answer goes to the client as a frame. Where the client comes from another node that
   * was ahead of this one, only when this one has come as far.
   */
  subscribe(command: SubscribeCommand): void {
    const { log, delivery } = this.#context;
    const isAhead = log.isShared && (command.since ?? 0) > delivery.routedSeq;
    if (!isAhead || (command.epoch !== undefined && command.epoch !== log.epoch)) this.#subscribe(command);
    else this.#subscribeLater(command).catch((error: unknown) => this.#fail(error, command.id));
  }

  async #subscribeLater(command: SubscribeCommand): Promise<void> {
    const { log, delivery } = this.#context;
    await log.catchUp();
    const routedTo = Math.min(command.since ?? 0, log.head);
    while (delivery.routedSeq < routedTo && !this.consumer.isClosed) await nextTurn();
    if (!this.consumer.isClosed) this.#subscribe(command);
  }

  #subscribe(command: SubscribeCommand): void {
    const { id, events, clusters, since } = command;
    const { delivery, subscriptions, log } = this.#context;
    const access = grantSubscriptions(this.#identity.rights, events, clusters);
    if (!access.ok) {
      this.#refuse(id, "FORBIDDEN", `the token does not allow ${access.pattern} in the clusters asked for`);
      return;
    }
    const planned = subscriptions.plan(this.consumer.set, access.subscriptions);
    if (planned.kind === "limit") {
      const what = planned.limit === "subscriptions" ? "subscriptions" : "names of clusters over all subscriptions";
      this.#refuse(
        id,
        "SUBSCRIPTION_LIMIT",
        `a connection can have at most ${planned.max} ${what}; nothing was changed`,
      );
      return;
    }
    this.#interests.set(events, clusters);
    const seq = delivery.subscribe(this.consumer, planned.set);
    this.#send({ type: "subscribed", ...(id === undefined ? {} : { id }), events, clusters, seq });
    if (since === undefined) return;
    const replay = planReplay(since, command.epoch, log);
    const wanted = SubscriptionSet.empty.with(access.subscriptions);
    delivery.replay(this.consumer, wanted, replay.since, { id, lost: replay.lost });
  }

  #unsubscribe({ id, events }: UnsubscribeCommand): void {
    this.#interests.delete(events);
    this.#context.delivery.subscribe(this.consumer, this.consumer.set.without(events));
    this.#send({ type: "unsubscribed", ...(id === undefined ? {} : { id }), events });
  }

  async #refresh(id: string | undefined, token: string): Promise<void> {
    const outcome = await this.#context.authenticator.authenticate(token);
    if (this.consumer.isClosed) return;
    if (!outcome.ok) {
      const when = outcome.status === 503 ? "; it can not be checked at the moment, try again" : "";
      this.#refuse(id, "AUTH_FAILED", `the token was refused (${outcome.reason})${when}; the old one stays in force`);
      return;
    }
    if (outcome.identity.userId !== this.#identity.userId) {
      this.#refuse(id, "AUTH_FAILED", "the token is another user's; the old one stays in force");
      return;
    }
    this.#identity = outcome.identity;
    this.#expiry.isOver = true;
    this.#expiry = this.#context.expiry.watch(this);
    this.#send({
      type: "refreshed",
      ...(id === undefined ? {} : { id }),
      expires_at: wireTime(outcome.identity.expiresAtMs),
    });
    this.#reviewRights();
  }

  #reviewRights(): void {
    const { subscriptions, losses } = this.#interests.review(this.#identity.rights);
    this.#context.delivery.subscribe(this.consumer, SubscriptionSet.empty.with(subscriptions));
    for (const { pattern, clusters } of losses) {
      const lost = clusters.length === 0 ? {} : { clusters };
      this.#send({ type: "unsubscribed", events: [pattern], ...lost, reason: "forbidden" });
    }
  }
}
