// From the log to the lanes: what has become durable is routed in `seq` order, a few milliseconds at a time, so that
// sockets and timers get their turn in the middle of a large publish.

import type { Clock } from "@sluice/runtime";
import type { EventLog, EventRecord } from "../log/event-log.js";
import { fieldsLengthOf } from "../log/packed-event.js";
import type { Lane } from "../routing/lane.js";
import { SharedEvent } from "../routing/shared-event.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import type { Consumer } from "./consumer.js";
import type { Tail } from "./tail.js";

/**
 * A lane's batch is flushed when it has grown to this, bytes; larger batches take several writes. Chosen by bench: at 16
 * KiB a delivery costs three times as much as here, at 64 KiB a fifth more; at 256 KiB a tenth less, but a socket that
 * takes nothing more keeps a whole slice.
 */
const sliceBytesMax = 120 * 1024;
/** How long routing may run before sockets and timers get their turn, ms. */
const turnMsMax = 4;
/** Records between two looks at the clock. */
const recordsPerLook = 32;
/** Durable and not yet routed, bytes; past this, publishers wait. */
const backlogBytesMax = 32 * 1024 * 1024;

export interface FeedOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly tail: Tail;
  readonly flush: (lane: Lane<Consumer>) => void;
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
  /** Lanes with something in their batch. */
  #dirty: Lane<Consumer>[] = [];
  /** Those whose batch has grown to a slice. */
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
    const { clock } = this.#options;
    const startMs = clock.now();
    const deadline = startMs + turnMsMax;
    let count = 0;
    for (let batch = this.#backlog[0]; batch !== undefined; batch = this.#backlog[0]) {
      this.#route(batch.records[batch.next] as EventRecord, batch.durableAtMs);
      batch.next += 1;
      if (batch.next === batch.records.length) this.#backlog.shift();
      count += 1;
      if (count % recordsPerLook === 0 && clock.now() >= deadline) break;
    }
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const lane of dirty) this.#options.flush(lane);
    this.workedMs += clock.now() - startMs;
    if (this.#backlogBytes <= backlogBytesMax) this.#letIn();
    if (this.#backlog.length === 0) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
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
    if (this.#full.length > 0) this.#flushFull();
  }

  /** One function for all events: a closure for each would be garbage. */
  readonly #offer = (lane: Lane<Consumer>): void => {
    const shared = (this.#shared ??= new SharedEvent(this.#record as EventRecord, this.#durableAtMs));
    if (!lane.accept(shared)) return;
    if (lane.batch.length === 1) this.#dirty.push(lane);
    this.#isWanted ||= lane.hasLaggards;
    if (lane.batchBytes >= sliceBytesMax) this.#full.push(lane);
  };

  #flushFull(): void {
    const full = this.#full;
    this.#full = [];
    for (const lane of full) this.#options.flush(lane);
  }

  #letIn(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** Routes everything that is durable by now, in one go. */
  routeAll(): void {
    while (this.#backlog.length > 0) this.#turn();
  }

  /** Stops following the log, and routes what is left. */
  stop(): void {
    this.#unfollow();
    this.routeAll();
    this.#letIn();
  }
}
