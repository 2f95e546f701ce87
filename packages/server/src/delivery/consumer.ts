// One connection as delivery sees it: a place in a lane, what waits for it, and the single ordered way out. It knows
// no token, no command and no heartbeat.

import type { Policy, ServerFrame } from "@sluice/protocol";
import type { Encoding } from "../routing/encoding.js";
import type { Lane, LaneMember } from "../routing/lane.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { MessageBuffer } from "./message-buffer.js";
import type { Page } from "./page.js";
import type { Sink } from "./sink.js";

/** Replies that wait before the client's commands are no longer read; at half of it they are again. */
export const repliesMax = 64;
/** The same for what changes of subscriptions leave behind (`MessageBuffer.burden`), each up to a message in size. */
export const burdenMax = 64;

/** A reply and its place among the events: after the first `after` of them. */
interface Reply {
  readonly after: number;
  readonly bytes: Buffer;
}

/** What a consumer is made of. */
export interface ConsumerOptions {
  readonly id: string;
  readonly encoding: Encoding;
  readonly sink: Sink;
  readonly policy: Policy;
  /** 1 to the server's `buffer.max_messages`. */
  readonly maxMessages: number;
  /** Everything up to this seq was before the connection. */
  readonly position: number;
  /** Monotonic ms. */
  readonly now: number;
}

/** The state of one connection. Delivery, catching up and pressure change it; it decides nothing itself. */
export class Consumer implements LaneMember {
  laneSlot = -1;
  laneCursor = 0;
  lane: Lane<Consumer> | undefined;
  set = SubscriptionSet.empty;
  readonly id: string;
  readonly encoding: Encoding;
  readonly sink: Sink;
  readonly buffer: MessageBuffer;
  /** Level with its lane and writable: it gets what comes, and costs nothing else. */
  isLevel = true;
  /** The transport has not taken everything yet. */
  isBlocked = false;
  isPaused = false;
  /** How often a blocked transport has drained. */
  drains = 0;
  isClosed = false;
  /** A page of the log is on its way for it. */
  isReading = false;
  page: Page | undefined;
  /** Ids of replays whose `live` marker is due when the consumer is level. */
  readonly liveDue: (string | undefined)[] = [];
  /** When it was level the last time, monotonic ms. */
  levelAtMs: number;
  /** Makes the heartbeat frame that could not be written yet; only the newest is kept. */
  pingDue: (() => ServerFrame) | undefined;
  #replies: Reply[] = [];
  #notices: Buffer[] = [];
  #isHolding = false;
  #sent = 0;
  #bytesSent = 0;
  /** Events whose latency is in the sum. */
  #timed = 0;
  #latencySumMs = 0;
  #lastSendAtMs = 0;
  #base = { events: 0, bytes: 0, timed: 0, latencySumMs: 0 };

  constructor(options: ConsumerOptions) {
    this.id = options.id;
    this.encoding = options.encoding;
    this.sink = options.sink;
    this.levelAtMs = options.now;
    const { maxMessages, policy, position } = options;
    this.buffer = new MessageBuffer({ maxMessages, policy, position });
  }

  /** Hands bytes to the transport; when they aren't all taken, the consumer is blocked and no longer level. */
  write(bytes: Buffer): void {
    if (!this.sink.write(bytes)) this.isBlocked = true;
  }

  /** Queues a reply behind the events that wait now; where nothing is skipped, which may take long, it goes first. */
  queueReply(bytes: Buffer): void {
    const { buffer } = this;
    const isLong = buffer.catchingUp || (buffer.isLossless && this.isPaused);
    const waiting = isLong ? 0 : buffer.ahead(this.lane);
    this.#replies.push({ after: buffer.passed + waiting, bytes });
    const isTooMuch = this.#replies.length >= repliesMax || buffer.burden >= burdenMax;
    if (isTooMuch && !this.#isHolding) {
      this.#isHolding = true;
      this.sink.holdCommands(true);
    }
  }

  /** Queues a frame about the connection's own state; it goes before anything that waits. */
  queueNotice(frame: ServerFrame): void {
    this.#notices.push(this.encoding.encodeFrame(frame));
  }

  /** Takes what is due before the next event: notices, the heartbeat, replies whose place has come. */
  takeDue(out: Buffer[]): void {
    if (this.#notices.length > 0) {
      out.push(...this.#notices);
      this.#notices = [];
    }
    if (this.pingDue !== undefined) {
      out.push(this.encoding.encodeFrame(this.pingDue()));
      this.pingDue = undefined;
    }
    while (this.#replies.length > 0 && (this.#replies[0] as Reply).after <= this.buffer.passed) {
      out.push((this.#replies.shift() as Reply).bytes);
    }
    if (!this.#isHolding) return;
    if (this.#replies.length <= repliesMax / 2 && this.buffer.burden <= burdenMax / 2) {
      this.#isHolding = false;
      this.sink.holdCommands(false);
    }
  }

  /** Events that wait for it. */
  get pending(): number {
    return this.isLevel ? 0 : this.buffer.size(this.lane);
  }

  /** Events skipped so far. Of a level consumer nothing waits, and its cursor stands where it was last behind. */
  get dropped(): number {
    return this.isLevel ? this.buffer.dropped : this.buffer.droppedBy(this.lane);
  }

  /** Events that go before the next reply; infinite when none waits. */
  get eventsToReply(): number {
    const reply = this.#replies[0];
    return reply === undefined ? Number.POSITIVE_INFINITY : reply.after - this.buffer.passed;
  }

  get hasReplies(): boolean {
    return this.#replies.length > 0 || this.#notices.length > 0 || this.pingDue !== undefined;
  }

  /** Counts events sent otherwise than with its lane. */
  countSent(events: number, bytes: number, now: number): void {
    this.#sent += events;
    this.#bytesSent += bytes;
    this.#lastSendAtMs = now;
  }

  /** Counts the latency of an event that its lane doesn't time; what was asked for from the log's past has none. */
  countLatency(latencyMs: number): void {
    this.#timed += 1;
    this.#latencySumMs += latencyMs;
  }

  /** From now on what its lane gives it counts for this consumer too. */
  openAccount(): void {
    const { lane, laneCursor } = this;
    if (lane === undefined) return;
    const { timed, latencySumMs } = lane.totals;
    this.#base = { events: laneCursor, bytes: lane.bytesBefore(laneCursor), timed, latencySumMs };
  }

  /** Takes over what the lane gave it since `openAccount`. Call when the consumer stops being level, or leaves. */
  settleAccount(): void {
    const { lane } = this;
    if (lane === undefined || !this.isLevel) return;
    const before = this.#base;
    this.openAccount();
    const { events, bytes, timed, latencySumMs } = this.#base;
    if (events > before.events) this.#lastSendAtMs = lane.totals.writtenAtMs;
    this.#sent += events - before.events;
    this.#bytesSent += bytes - before.bytes;
    this.#timed += timed - before.timed;
    this.#latencySumMs += latencySumMs - before.latencySumMs;
    this.buffer.passed += events - before.events;
  }

  /** What was sent so far; `averageLatencyMs` is 0 when nothing was timed. */
  get account(): { sent: number; bytes: number; averageLatencyMs: number; lastSendAtMs: number } {
    this.settleAccount();
    return {
      sent: this.#sent,
      bytes: this.#bytesSent,
      averageLatencyMs: this.#timed === 0 ? 0 : this.#latencySumMs / this.#timed,
      lastSendAtMs: this.#lastSendAtMs,
    };
  }
}
