// The live path: what the log has made durable is routed to lanes, and written to those who are level with theirs.
// Consumers that are behind are fed by CatchUp; nothing here ever waits for a socket.
import { closes, type CloseEntry, type Policy, type ServerFrame } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import type { EventLog } from "../log/event-log.js";
import type { Lane } from "../routing/lane.js";
import type { SubscriptionManager } from "../routing/subscription-manager.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import type { BackpressureHandler } from "./backpressure-handler.js";
import { CatchUp } from "./catch-up.js";
import type { Consumer } from "./consumer.js";
import { measureConsumer, type ConsumerMetrics } from "./consumer-metrics.js";
import { DeliveryTally } from "./delivery-tally.js";
import { processEventLoop, type EventLoop } from "./event-loop.js";
import { Feed } from "./feed.js";
import { Flusher } from "./flusher.js";
import type { Gap } from "./message-buffer.js";
import { Pages } from "./pages.js";
import { Pressure } from "./pressure.js";
import { SharedFrame } from "./shared-frame.js";
import { Tail } from "./tail.js";

/** Share of `buffer.tail_bytes` that pages read for laggards may take, the rest is the tail. */
const pagesShare = 0.25;

export interface DeliveryOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly eventLoop?: EventLoop;
  readonly subscriptions: SubscriptionManager<Consumer>;
  readonly backpressure: BackpressureHandler;
  /** `buffer.max_messages`: seqs that a lane keeps for those behind. */
  readonly maxMessages: number;
  /** `buffer.tail_bytes`: bound of the events kept in memory for the whole process. */
  readonly tailBytes: number;
  /** Told of a fault of ours that ended or harmed one consumer. */
  readonly onError: (error: unknown, consumerId: string) => void;
}

export interface ReplayOptions {
  /** The client's own id of the command, for the `live` marker. */
  readonly id: string | undefined;
  /** What of the replay is known to be gone. */
  readonly lost?: Gap | undefined;
}

export class Delivery {
  readonly tally = new DeliveryTally();
  readonly consumers = new Set<Consumer>();
  readonly #clock: Clock;
  readonly #subscriptions: SubscriptionManager<Consumer>;
  readonly #pressure: Pressure;
  readonly #flusher: Flusher;
  readonly #tail: Tail;
  readonly #catchUp: CatchUp;
  readonly #feed: Feed;
  readonly #pings = new SharedFrame();

  constructor(options: DeliveryOptions) {
    const { log, clock, onError, subscriptions, eventLoop = processEventLoop } = options;
    this.#clock = clock;
    this.#subscriptions = subscriptions;
    const tail = (this.#tail = new Tail(options.tailBytes * (1 - pagesShare)));
    this.#pressure = new Pressure({
      backpressure: options.backpressure,
      clock,
      tail,
      tally: this.tally,
      disconnect: (consumer) => this.close(consumer, closes.slowConsumer),
    });
    const flusher = (this.#flusher = new Flusher({
      clock,
      tally: this.tally,
      onBlocked: (consumer) => this.#leaveLevel(consumer),
    }));
    this.#feed = new Feed({
      log,
      clock,
      eventLoop,
      subscriptions,
      tail,
      flusher,
      onLaggards: (lane) => this.#press(lane, options.maxMessages),
    });
    this.#catchUp = new CatchUp({
      clock,
      eventLoop,
      liveMs: () => this.#feed.workedMs,
      tail,
      pages: new Pages({ log, bytesMax: options.tailBytes * pagesShare }),
      tally: this.tally,
      onError,
      onProgress: (consumer) => this.#pressure.relieve(consumer),
      onLive: (consumer) => this.#endReplay(consumer),
      onLevel: (consumer) => this.#becomeLevel(consumer),
      onFault: (consumer) => this.close(consumer, closes.internalError),
    });
  }

  /** Everything up to this seq has been given to its lanes. */
  get routedSeq(): number {
    return this.#feed.routedSeq;
  }

  /** Records routed since the start. */
  get routed(): number {
    return this.#feed.routed;
  }

  /** Bytes of events kept for those behind; bounded by `buffer.tail_bytes`. */
  get memoryBytes(): number {
    return this.#tail.bytes + this.#catchUp.bytes;
  }

  /** Resolves when routing has room for more; undefined when it has now. Publishers wait for it, subscribers never. */
  room(): Promise<void> | undefined {
    return this.#feed.room();
  }

  /** Everything that was routed has been written to those who are level. */
  get isFlushed(): boolean {
    return this.#feed.isFlushed;
  }

  /** Applies policies and watermarks to those behind, for whom the lane then keeps the newest `windowMax` seqs. */
  #press(lane: Lane<Consumer>, windowMax: number): void {
    for (const consumer of lane.behind) this.#pressure.press(consumer, lane);
    lane.window.trimTo(windowMax);
  }

  /** A consumer that has been given all that was routed is fed from behind from now on. */
  #leaveLevel(consumer: Consumer): void {
    consumer.isBlocked = true;
    if (!consumer.isLevel) return;
    consumer.settleAccount();
    consumer.isLevel = false;
    consumer.levelAtMs = this.#clock.now();
    consumer.buffer.position = this.#feed.routedSeq;
    const { lane } = consumer;
    if (lane === undefined) return;
    consumer.buffer.join(lane, this.#feed.routedSeq);
    lane.toBehind(consumer);
  }

  /** Its policy holds again. */
  #endReplay(consumer: Consumer): void {
    consumer.buffer.catchingUp = false;
    this.#pressure.stand(consumer);
  }

  #becomeLevel(consumer: Consumer): void {
    consumer.isLevel = true;
    consumer.lane?.toLevel(consumer);
    consumer.openAccount();
  }

  add(consumer: Consumer): void {
    this.consumers.add(consumer);
  }

  /** Takes a consumer out of everything; nothing is sent to it any more. */
  remove(consumer: Consumer): void {
    if (!this.consumers.delete(consumer)) return;
    consumer.isClosed = true;
    if (consumer.isPaused) this.tally.paused -= 1;
    this.tally.droppedByGone[consumer.buffer.policy] += consumer.dropped;
    this.#subscriptions.count(consumer.set, SubscriptionSet.empty);
    const { lane } = consumer;
    if (lane === undefined) return;
    consumer.settleAccount();
    consumer.lane = undefined;
    lane.remove(consumer);
    this.#subscriptions.release(lane);
  }

  close(consumer: Consumer, entry: CloseEntry): void {
    if (consumer.isClosed) return;
    this.remove(consumer);
    consumer.sink.close(entry);
  }

  /**
   * Gives a consumer its new set of subscriptions, from now on: what waits of the old ones goes first, without what
   * is no longer subscribed to. Returns the seq after which the new set counts.
   */
  subscribe(consumer: Consumer, set: SubscriptionSet): number {
    const before = consumer.lane;
    if (consumer.isClosed) return this.#feed.routedSeq;
    this.#flusher.bringUp(consumer);
    const after = this.#subscriptions.laneFor(set, consumer.encoding);
    this.#subscriptions.count(consumer.set, set);
    consumer.set = after?.set ?? set; // Equal sets are kept once, with their lane.
    if (before === after) return this.#feed.routedSeq;
    this.#leaveLane(consumer, set);
    consumer.lane = after;
    if (after !== undefined) this.#enterLane(consumer, after);
    return this.#feed.routedSeq;
  }

  #leaveLane(consumer: Consumer, set: SubscriptionSet): void {
    const { lane, buffer } = consumer;
    if (consumer.isLevel) {
      consumer.settleAccount();
      buffer.position = this.#feed.routedSeq;
    } else {
      if (lane !== undefined) buffer.setAside(lane);
      buffer.narrow(set);
    }
    if (lane === undefined) return;
    lane.remove(consumer);
    this.#subscriptions.release(lane);
  }

  #enterLane(consumer: Consumer, lane: Lane<Consumer>): void {
    consumer.lane = lane;
    consumer.buffer.join(lane, this.#feed.routedSeq);
    if (consumer.isLevel) {
      lane.addLevel(consumer);
      consumer.openAccount();
    } else {
      this.#pressure.stand(consumer);
    }
  }

  /**
   * Sends every retained match of `set` after `since`, then goes on with what the consumer is subscribed to. With
   * `lost`, a gap comes first: what was asked for is gone.
   */
  replay(consumer: Consumer, set: SubscriptionSet, since: number, options: ReplayOptions): void {
    this.#flusher.bringUp(consumer);
    if (consumer.isLevel) {
      this.#leaveLevel(consumer);
      consumer.isBlocked = false;
    }
    consumer.liveDue.push(options.id);
    // What the log has let go before it was even routed is still to come from the lane.
    const until = this.#feed.routedSeq;
    const gap = options.lost && { ...options.lost, toSeq: Math.min(options.lost.toSeq, until) };
    consumer.buffer.replay(consumer.lane, { after: Math.min(since, until), until, match: set, count: null }, gap);
    this.#pressure.stand(consumer);
    this.#catchUp.schedule(consumer);
  }

  /** Sends a frame of ours behind the events that were accepted before it. */
  reply(consumer: Consumer, frame: ServerFrame): void {
    if (consumer.isClosed) return;
    this.#flusher.bringUp(consumer);
    const bytes = consumer.encoding.encodeFrame(frame);
    if (consumer.isLevel) this.#writeLevel(consumer, bytes);
    else {
      consumer.queueReply(bytes);
      this.#catchUp.schedule(consumer);
    }
  }

  #writeLevel(consumer: Consumer, bytes: Buffer): void {
    if (!consumer.sink.write(bytes)) this.#leaveLevel(consumer);
  }

  /** Sends a heartbeat, made when it is written so that its `seq` is true. It never waits: a blocked one goes first. */
  ping(consumer: Consumer, make: (position: number) => ServerFrame): void {
    if (consumer.isClosed) return;
    this.#flusher.bringUp(consumer);
    if (consumer.isLevel) {
      this.#writeLevel(consumer, this.#pings.encode(consumer.encoding, make(this.#feed.routedSeq)));
    } else {
      consumer.pingDue = () => make(consumer.buffer.sentTo);
      this.#catchUp.schedule(consumer);
    }
  }

  /** The transport has taken everything that it was given; as hundreds may at once, the consumer waits for its turn. */
  drained(consumer: Consumer): void {
    if (!consumer.isBlocked || consumer.isClosed) return;
    consumer.isBlocked = false;
    consumer.drains += 1;
    this.#catchUp.schedule(consumer);
  }

  /** Routes and writes all that is durable by now, so that a drain's goodbye comes after it. */
  flushAll(): void {
    this.#feed.flushAll();
  }

  metricsOf(consumer: Consumer): ConsumerMetrics {
    return measureConsumer(consumer, this.#clock, this.#pressure.lagMs(consumer));
  }

  /** Events skipped since the start, of all consumers with the policy. */
  dropped(policy: Policy): number {
    let dropped = this.tally.droppedByGone[policy];
    for (const consumer of this.consumers) if (consumer.buffer.policy === policy) dropped += consumer.dropped;
    return dropped;
  }

  /** Stops following the log. Consumers are the caller's to close. */
  stop(): void {
    this.#feed.stop();
  }
}
