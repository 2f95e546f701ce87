// What a fuller or emptier buffer does to a consumer that is behind (protocol §5): paused and resumed by the watermarks,
// frozen or disconnected by its policy; and where in its lane it stands meanwhile.

import type { Clock } from "@sluice/runtime";
import type { Lane } from "../routing/lane.js";
import type { BackpressureHandler } from "./backpressure-handler.js";
import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";
import type { Tail } from "./tail.js";

export interface PressureOptions {
  readonly backpressure: BackpressureHandler;
  readonly clock: Clock;
  readonly tail: Tail;
  readonly tally: DeliveryTally;
  /** Policy `disconnect`, past the limit. */
  readonly disconnect: (consumer: Consumer) => void;
}

export class Pressure {
  readonly #options: PressureOptions;

  constructor(options: PressureOptions) {
    this.#options = options;
  }

  /** Applies the policy and the watermarks to a consumer for which more waits than before. */
  press(consumer: Consumer, lane: Lane<Consumer>): void {
    const { buffer } = consumer;
    const { backpressure, disconnect } = this.#options;
    buffer.settle(lane);
    const { maxMessages, policy } = buffer;
    const overflow = buffer.isLossless ? "none" : backpressure.overflow(buffer.size(lane), maxMessages, policy);
    if (overflow === "disconnect") {
      disconnect(consumer);
      return;
    }
    if (overflow === "freeze") buffer.freeze(lane);
    const size = buffer.size(lane);
    if (backpressure.decide(size, maxMessages, consumer.isPaused) === "pause") this.#pause(consumer, size);
    this.stand(consumer);
  }

  /** A consumer that was fed from behind has less waiting than before. */
  relieve(consumer: Consumer): void {
    const { buffer, lane } = consumer;
    if (!consumer.isPaused) return;
    const size = buffer.size(lane);
    if (this.#options.backpressure.decide(size, buffer.maxMessages, true) !== "resume") return;
    if (buffer.frozen && lane !== undefined) buffer.thaw(lane);
    this.#resume(consumer, size);
    this.stand(consumer);
  }

  /** Gives a consumer that isn't level its place: parked while its policy has nothing to say about what it gets. */
  stand(consumer: Consumer): void {
    const { buffer, lane, isPaused } = consumer;
    const skipsNothingItself = buffer.isLossless || buffer.policy === "drop-oldest";
    const isParked = buffer.catchingUp || buffer.frozen || (isPaused && skipsNothingItself);
    if (isParked) lane?.toParked(consumer);
    else lane?.toBehind(consumer);
  }

  #pause(consumer: Consumer, pending: number): void {
    const { tally } = this.#options;
    consumer.isPaused = true;
    tally.pauses += 1;
    tally.paused += 1;
    consumer.queueNotice({ type: "lag", state: "paused", pending, lag_ms: this.lagMs(consumer) });
  }

  #resume(consumer: Consumer, pending: number): void {
    const { tally } = this.#options;
    consumer.isPaused = false;
    tally.resumes += 1;
    tally.paused -= 1;
    consumer.queueNotice({ type: "lag", state: "resumed", pending, lag_ms: this.lagMs(consumer) });
  }

  /** Age of the oldest event that waits, ms; of one that isn't in memory, the time since the consumer was level. */
  lagMs(consumer: Consumer): number {
    const { clock, tail } = this.#options;
    const { lane, buffer } = consumer;
    if (consumer.isLevel || buffer.size(lane) === 0) return 0;
    const step = buffer.next(lane);
    const oldest = step.kind === "event" ? tail.get(step.seq) : undefined;
    return Math.max(0, Math.round(clock.now() - (oldest?.durableAtMs ?? consumer.levelAtMs)));
  }
}
