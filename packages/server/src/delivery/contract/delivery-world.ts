// Everything that delivery stands on, in one place and under a test's control: a real log in memory whose reads take
// turns of the event loop, a clock that a test moves, and consumers whose transports a test fills and drains.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Policy } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import { draftOf, logOptionsOf } from "../../log/contract/log-under-test.js";
import type { EventDraft, EventLog, LogPage, PageBounds, ReadOptions, TakeRecord } from "../../log/event-log.js";
import { createMemoryLog } from "../../log/memory-log.js";
import { ClusterFilter } from "../../routing/cluster-filter.js";
import { SubscriptionManager } from "../../routing/subscription-manager.js";
import { SubscriptionSet } from "../../routing/subscription-set.js";
import { websocketEncoding } from "../../routing/websocket-encoding.js";
import { BackpressureHandler } from "../backpressure-handler.js";
import { Consumer } from "../consumer.js";
import { Delivery } from "../delivery.js";
import type { EventLoop } from "../event-loop.js";
import type { Sink } from "../sink.js";
import { RecordingSink } from "./recording-sink.js";

/** A clock that a test moves, and that may move by itself each time it is looked at, as work takes time. */
export class LookingClock implements Clock {
  readonly #msPerLook: number;
  #elapsedMs = 0;

  constructor(msPerLook = 0) {
    this.#msPerLook = msPerLook;
  }

  now(): number {
    this.#elapsedMs += this.#msPerLook;
    return 5_000_000 + this.#elapsedMs;
  }

  wall(): number {
    return 1_800_000_000_000 + this.#elapsedMs;
  }

  advance(ms: number): void {
    this.#elapsedMs += ms;
  }
}

/** An event loop whose rests take no time: the clock moves instead, and it had nothing to do meanwhile. */
class QuickEventLoop implements EventLoop {
  readonly #clock: LookingClock;
  #idleMs = 0;

  constructor(clock: LookingClock) {
    this.#clock = clock;
  }

  idleMs(): number {
    return this.#idleMs;
  }

  nextTurn(run: () => void): void {
    setImmediate(run);
  }

  later(ms: number, run: () => void): void {
    setImmediate(() => {
      this.#clock.advance(ms);
      this.#idleMs += ms;
      run();
    });
  }
}

export interface WorldOptions {
  /** Retention by count; default none. */
  readonly maxEvents?: number | null;
  /** `buffer.max_messages`; default 10. */
  readonly maxMessages?: number;
  /** `buffer.tail_bytes`; default 1 MB. */
  readonly tailBytes?: number;
  /** How far the clock moves each time it is looked at, ms; default 0. */
  readonly msPerLook?: number;
  /** Turns of the event loop that a read of the log takes; it sees the log as it was when it began. Default 0. */
  readonly readTurns?: number;
  readonly highWatermark?: number;
  readonly lowWatermark?: number;
  /** Consumers that take everything and that nobody looks at: with them a lane takes several turns to write. Default 0. */
  readonly crowd?: number;
}

/** Waits for `turns` of the event loop. */
export async function turns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

/** Waits until `condition` holds, at most `turnsMax` turns of the event loop; says whether it came to hold. */
export async function until(condition: () => boolean, turnsMax = 5000): Promise<boolean> {
  for (let turn = 0; turn < turnsMax; turn += 1) {
    if (condition()) return true;
    await nextTurn();
  }
  return condition();
}

/** A set of subscriptions from patterns to clusters; null is all of them. */
export function setOf(interests: Readonly<Record<string, readonly string[] | null>>): SubscriptionSet {
  const subscriptions = Object.entries(interests).map(([pattern, clusters]) => {
    return { pattern, clusters: clusters === null ? null : new ClusterFilter(clusters) };
  });
  return SubscriptionSet.empty.with(subscriptions);
}

/** Takes everything and keeps nothing. */
const bottomless: Sink = { write: () => true, holdsBytes: false, close: () => {}, holdCommands: () => {} };

function slowLog(log: EventLog, readTurns: number, onRead: () => void): EventLog {
  return {
    get epoch() {
      return log.epoch;
    },
    get head() {
      return log.head;
    },
    get oldest() {
      return log.oldest;
    },
    isShared: log.isShared,
    eventBytesMax: log.eventBytesMax,
    catchUp: () => log.catchUp(),
    append: (drafts) => log.append(drafts),
    follow: (onBatch) => log.follow(onBatch),
    stats: () => log.stats(),
    close: () => log.close(),
    read: async (after: number, options: ReadOptions): Promise<LogPage> => {
      onRead();
      const [page] = await Promise.all([log.read(after, options), turns(readTurns)]);
      return page;
    },
    scan: async (after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds> => {
      onRead();
      const [bounds] = await Promise.all([log.scan(after, options, take), turns(readTurns)]);
      return bounds;
    },
  };
}

export class DeliveryWorld {
  readonly clock: LookingClock;
  readonly log: EventLog;
  readonly errors: unknown[] = [];
  /** Reads of the log so far. */
  reads = 0;
  subscriptions: SubscriptionManager<Consumer>;
  delivery: Delivery;
  /** Those of `crowd`, subscribed to nothing as yet. */
  crowd: readonly Consumer[] = [];
  readonly #options: WorldOptions;
  #appended = 0;
  #connected = 0;

  constructor(options: WorldOptions = {}) {
    this.#options = options;
    this.clock = new LookingClock(options.msPerLook);
    const retention = { maxEvents: options.maxEvents ?? null, maxAgeMs: null, maxBytes: null };
    const log = createMemoryLog(logOptionsOf({ clock: new LookingClock(), retention }));
    this.log = slowLog(log, options.readTurns ?? 0, () => {
      this.reads += 1;
    });
    [this.subscriptions, this.delivery] = this.#open();
    this.#gather();
  }

  get maxMessages(): number {
    return this.#options.maxMessages ?? 10;
  }

  get tailBytes(): number {
    return this.#options.tailBytes ?? 1_000_000;
  }

  #open(): [SubscriptionManager<Consumer>, Delivery] {
    const { highWatermark = 0.8, lowWatermark = 0.5 } = this.#options;
    const subscriptions = new SubscriptionManager<Consumer>({ maxPerConnection: 100 });
    const delivery = new Delivery({
      log: this.log,
      clock: this.clock,
      eventLoop: new QuickEventLoop(this.clock),
      subscriptions,
      backpressure: new BackpressureHandler({ highWatermark, lowWatermark }),
      maxMessages: this.maxMessages,
      tailBytes: this.tailBytes,
      onError: (error) => this.errors.push(error),
    });
    return [subscriptions, delivery];
  }

  /** Ends delivery and begins a new one over the same log, as a restart of the process does. */
  restart(): void {
    for (const consumer of this.delivery.consumers) this.delivery.remove(consumer);
    this.delivery.stop();
    [this.subscriptions, this.delivery] = this.#open();
    this.#gather();
  }

  #gather(): void {
    this.crowd = Array.from({ length: this.#options.crowd ?? 0 }, () => this.#add(bottomless, {}));
  }

  /** The crowd goes. */
  disperse(): void {
    for (const consumer of this.crowd) this.delivery.remove(consumer);
    this.crowd = [];
  }

  #add(sink: Sink, over: { readonly policy?: Policy; readonly maxMessages?: number }): Consumer {
    const { policy = "drop-oldest", maxMessages = this.maxMessages } = over;
    this.#connected += 1;
    const consumer = new Consumer({
      id: `connection-${this.#connected}`,
      encoding: websocketEncoding,
      sink,
      policy,
      maxMessages,
      position: this.delivery.routedSeq,
      now: this.clock.now(),
    });
    this.delivery.add(consumer);
    return consumer;
  }

  connect(over: { readonly policy?: Policy; readonly maxMessages?: number } = {}): {
    readonly consumer: Consumer;
    readonly sink: RecordingSink;
  } {
    const sink = new RecordingSink();
    return { consumer: this.#add(sink, over), sink };
  }

  /** A consumer that is subscribed. */
  subscriber(
    interests: Readonly<Record<string, readonly string[] | null>>,
    over: { readonly policy?: Policy; readonly maxMessages?: number } = {},
  ): { readonly consumer: Consumer; readonly sink: RecordingSink } {
    const connected = this.connect(over);
    this.delivery.subscribe(connected.consumer, setOf(interests));
    return connected;
  }

  /** Appends events, each of one type and cluster; resolves when they are durable and followers were told. */
  async publish(events: readonly (readonly [string, string | undefined])[], fieldBytes = 0): Promise<void> {
    const drafts = events.map(([eventType, clusterId]): EventDraft => {
      this.#appended += 1;
      const fields = Buffer.from(`"n":${this.#appended},"pad":"${"x".repeat(fieldBytes)}"`);
      return draftOf(this.#appended, { eventType, clusterId, fields });
    });
    await this.log.append(drafts);
  }

  /** Appends `count` events of type `A` in cluster `c-1`. */
  async publishMany(count: number, fieldBytes = 0): Promise<void> {
    await this.publish(
      Array.from({ length: count }, () => ["A", "c-1"] as const),
      fieldBytes,
    );
  }

  /** Empties a transport and tells delivery. */
  drain(consumer: Consumer, sink: RecordingSink, room = Number.POSITIVE_INFINITY): void {
    if (!sink.isBlocked) {
      sink.limit(room);
      return;
    }
    sink.drain(room);
    this.delivery.drained(consumer);
  }

  async close(): Promise<void> {
    this.delivery.stop();
    await this.log.close();
  }
}
