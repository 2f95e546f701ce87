// From the log to the lanes, and out: what has become durable is routed in `seq` order and flushed, about a millisecond
// of each at a time, so that publishes, sockets and timers get their turn in between.

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
 * A lane's batch grows no more once it has this many bytes: routing waits until it is on its way. Chosen by bench: at 16
 * KiB a delivery costs three times as much as here, at 64 KiB a fifth more; at 256 KiB a tenth less, but a socket that
 * takes nothing more keeps a whole batch.
 */
const batchBytesMax = 120 * 1024;
/** How long routing may run before lanes are flushed, ms. */
const routingMsMax = 4;
/** How long flushing may run before sockets and timers get their turn, ms. */
const flushingMsMax = 1;
/** Records between two looks at the clock. */
const recordsPerLook = 32;
/** Durable and not yet routed, bytes; past this, publishers wait. */
const backlogBytesMax = 32 * 1024 * 1024;

export interface FeedOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly tail: Tail;
  readonly flusher: Flusher;
  readonly eventLoop: EventLoop;
}

interface Batch {
  readonly records: readonly EventRecord[];
  readonly durableAtMs: number;
  next: number;
}

export class Feed {
  /** Records routed since the start. */
  routed = 0;
  /** Everything up to this seq has been given to its lanes. */
  routedSeq: number;
  /** How long routing and its flushes have taken since the start, ms. */
  workedMs = 0;
  readonly #options: FeedOptions;
  /** Lanes whose batch has grown to its bound. */
  #full: Lane<Consumer>[] = [];
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

  /** Resolves when there is room for more; undefined when there is now. Publishers wait for it, subscribers never. */
  room(): Promise<void> | undefined {
    if (this.#backlogBytes <= backlogBytesMax) return undefined;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #take(records: readonly EventRecord[]): void {
    if (records.length === 0) return;
    this.#backlog.push({ records, next: 0, durableAtMs: this.#options.clock.now() });
    for (const record of records) this.#backlogBytes += fieldsLengthOf(record);
    if (!this.#isTurnDue) this.#turn();
  }

  #turn(): void {
    this.#isTurnDue = false;
    const { clock, eventLoop, flusher } = this.#options;
    const startMs = clock.now();
    this.#routeUntil(startMs + routingMsMax);
    flusher.run(clock.now() + flushingMsMax);
    this.#full = this.#full.filter(isFull);
    this.workedMs += clock.now() - startMs;
    if (this.#backlogBytes <= backlogBytesMax) this.#letIn();
    if (this.#backlog.length === 0 && flusher.isIdle) return;
    this.#isTurnDue = true;
    eventLoop.nextTurn(() => {
      if (this.#isTurnDue) this.#turn();
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
    if (lane.batch.length === 1) this.#options.flusher.add(lane);
    this.#isWanted ||= lane.hasLaggards;
    if (isFull(lane)) this.#full.push(lane);
  };

  #letIn(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Routes and flushes everything that is durable by now, in one go. */
  flushAll(): void {
    while (this.#backlog.length > 0 || !this.#options.flusher.isIdle) this.#turn();
  }

  /** Stops following the log, and routes and flushes what is left. */
  stop(): void {
    this.#unfollow();
    this.flushAll();
    this.#letIn();
  }
}

function isFull(lane: Lane<Consumer>): boolean {
  return lane.batchBytes >= batchBytesMax;
}
