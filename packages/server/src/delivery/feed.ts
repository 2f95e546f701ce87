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
  readonly #dirty = new Set<Lane<Consumer>>();
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
    for (const lane of this.#dirty) this.#options.flush(lane);
    this.#dirty.clear();
    this.workedMs += clock.now() - startMs;
    if (this.#backlogBytes <= backlogBytesMax) this.#letIn();
    if (this.#backlog.length === 0) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
  }

  #route(record: EventRecord, durableAtMs: number): void {
    const { subscriptions, tail, flush } = this.#options;
    let shared: SharedEvent | undefined;
    let full: Lane<Consumer>[] | undefined;
    let isWanted = false;
    subscriptions.forEachLane(record.eventType, record.clusterId, (lane) => {
      shared ??= new SharedEvent(record, durableAtMs);
      if (!lane.accept(shared)) return;
      this.#dirty.add(lane);
      isWanted ||= lane.hasLaggards;
      if (lane.batchBytes >= sliceBytesMax) (full ??= []).push(lane);
    });
    // While all are level, nobody will ask for it again; one who falls behind later is past it.
    if (shared !== undefined && isWanted) tail.push(shared);
    this.#backlogBytes -= fieldsLengthOf(record);
    this.routedSeq = record.seq;
    this.routed += 1;
    full?.forEach(flush);
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
