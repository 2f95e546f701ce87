// From the log to the lanes, and out: what has become durable is routed in `seq` order and written, a few milliseconds
// at a time, so that publishes, sockets and timers get their turn in between.

import type { Clock } from "@sluice/runtime";
import type { EventLog, EventRecord } from "../log/event-log.js";
import { fieldsLengthOf } from "../log/packed-event.js";
import type { Lane } from "../routing/lane.js";
import { SharedEvent } from "../routing/shared-event.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import type { Consumer } from "./consumer.js";
import type { EventLoop } from "./event-loop.js";
import type { Flusher } from "./flusher.js";
import type { Tail } from "./tail.js";

/**
 * Routing waits while so many bytes of a lane are still to be written, and with them a write is bounded. Chosen by
 * bench: at 16 KiB a delivery costs three times as much as here, at 64 KiB a fifth more; at 256 KiB a tenth less, but a
 * socket that takes nothing more keeps a whole write.
 */
const pendingBytesMax = 120 * 1024;
/** How long routing may run before what it brought is written, ms. */
const routingMsMax = 4;
/** How long writing may run before sockets and timers get their turn, ms. */
const writingMs = 1;
/** The same once routing had to wait for a lane: what is large is written with fewer stops. */
const writingMsOnceFull = 4;
/** Where sockets and timers take longer, writing isn't left behind: it goes on for so many times what they took. */
const writingPerOther = 2;
/** But for no longer than this, ms. */
const writingMsMax = 8;
/** Records between two looks at the clock. */
const recordsPerLook = 32;
/** Durable and not yet routed, bytes; past this, publishers wait. */
const backlogBytesMax = 32 * 1024 * 1024;

/** What a feed works with; it owns none of it. */
export interface FeedOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly tail: Tail;
  readonly flusher: Flusher;
  readonly eventLoop: EventLoop;
  /** More waits than before for those of the lane who are not level. */
  readonly onLaggards: (lane: Lane<Consumer>) => void;
}

interface Batch {
  readonly records: readonly EventRecord[];
  readonly durableAtMs: number;
  next: number;
}

/**
 * Follows the log from its head on. Records wait in it until they are routed: past 32 MiB of them {@link Feed.room} has
 * publishers wait, and at once where a lane is full.
 */
export class Feed {
  /** Records routed since the start. */
  routed = 0;
  /** Everything up to this seq has been given to its lanes. */
  routedSeq: number;
  /** How long routing and writing have taken since the start, ms. */
  workedMs = 0;
  readonly #options: FeedOptions;
  /** Lanes that something has come into since routing began its turn. */
  #touched: Lane<Consumer>[] = [];
  /** Lanes in which as much waits to be written as may. */
  #full: Lane<Consumer>[] = [];
  /** Whether there was one since all was routed. */
  #wasFull = false;
  /** The event that is being routed, once a lane wants it. */
  #shared: SharedEvent | undefined;
  #isWanted = false;
  #record: EventRecord | undefined;
  #durableAtMs = 0;
  readonly #unfollow: () => void;
  readonly #backlog: Batch[] = [];
  #backlogBytes = 0;
  #isTurnDue = false;
  #waiters: (() => void)[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
    this.routedSeq = options.log.head;
    this.#unfollow = options.log.follow((records) => this.#take(records));
  }

  /** Whether all that is durable has been routed, and written to those who are level. */
  get isFlushed(): boolean {
    return this.#backlog.length === 0 && this.#options.flusher.isIdle;
  }

  /** Resolves when there is room for more; undefined when there is now. Publishers wait for it, subscribers never. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  get #hasRoom(): boolean {
    // Once routing had to wait for a lane, more would only wait too: those who publish as fast as they can would outrun
    // those who are written to, by seconds.
    return this.#backlogBytes <= (this.#wasFull ? 0 : backlogBytesMax);
  }

  #take(records: readonly EventRecord[]): void {
    if (records.length === 0) return;
    this.#backlog.push({ records, next: 0, durableAtMs: this.#options.clock.now() });
    for (const record of records) this.#backlogBytes += fieldsLengthOf(record);
    if (!this.#isTurnDue) this.#turn();
  }

  /** @param otherMs how long the loop did something else since writing had to stop */
  #turn(otherMs = 0): void {
    const { clock, eventLoop, flusher } = this.#options;
    const startMs = clock.now();
    this.#routeUntil(startMs + routingMsMax);
    this.#passOn();
    const leastMs = this.#wasFull ? writingMsOnceFull : writingMs;
    flusher.run(clock.now() + Math.min(writingMsMax, Math.max(leastMs, otherMs * writingPerOther)));
    this.#wasFull = this.#backlog.length > 0 && (this.#wasFull || this.#full.length > 0);
    this.#full = this.#full.filter(isFull);
    const endMs = clock.now();
    this.workedMs += endMs - startMs;
    if (this.#waiters.length > 0 && this.#hasRoom) this.#letIn();
    if (this.isFlushed || this.#isTurnDue) return;
    this.#isTurnDue = true;
    eventLoop.nextTurn(() => {
      this.#isTurnDue = false;
      this.#turn(clock.now() - endMs);
    });
  }

  #routeUntil(deadline: number): void {
    const { clock } = this.#options;
    let count = 0;
    for (let batch = this.#backlog[0]; batch !== undefined; batch = this.#backlog[0]) {
      if (this.#full.length > 0) return;
      this.#route(batch.records[batch.next] as EventRecord, batch.durableAtMs);
      batch.next += 1;
      if (batch.next === batch.records.length) this.#backlog.shift();
      count += 1;
      if (count % recordsPerLook === 0 && clock.now() >= deadline) return;
    }
  }

  #passOn(): void {
    const touched = this.#touched;
    if (touched.length === 0) return;
    this.#touched = [];
    for (const lane of touched) {
      lane.isTouched = false;
      if (lane.level.length > 0) this.#options.flusher.add(lane);
      if (lane.hasLaggards) this.#options.onLaggards(lane);
    }
  }

  #route(record: EventRecord, durableAtMs: number): void {
    const { subscriptions, tail } = this.#options;
    this.#record = record;
    this.#durableAtMs = durableAtMs;
    this.#isWanted = false;
    subscriptions.forEachLane(record.eventType, record.clusterId, this.#offer);
    // While all are level, nobody will ask for it again; one who falls behind later is past it.
    if (this.#shared !== undefined && this.#isWanted) tail.push(this.#shared);
    this.#shared = undefined;
    this.#backlogBytes -= fieldsLengthOf(record);
    this.routedSeq = record.seq;
    this.routed += 1;
  }

  /** One function for all events: a closure for each would be garbage. */
  readonly #offer = (lane: Lane<Consumer>): void => {
    const shared = (this.#shared ??= new SharedEvent(this.#record as EventRecord, this.#durableAtMs));
    if (!lane.accept(shared)) return;
    if (!lane.isTouched) {
      lane.isTouched = true;
      this.#touched.push(lane);
    }
    this.#isWanted ||= lane.hasLaggards;
    if (isFull(lane)) this.#full.push(lane);
  };

  #letIn(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Routes and writes everything that is durable by now, in one go. */
  flushAll(): void {
    while (!this.isFlushed) this.#turn();
  }

  /** Stops following the log, and routes and writes what is left. */
  stop(): void {
    this.#unfollow();
    this.flushAll();
    this.#letIn();
  }
}

function isFull(lane: Lane<Consumer>): boolean {
  return lane.pendingBytes >= pendingBytesMax;
}
