// Tells connections that the log is out of reach, and when it is in reach again (protocol §5): they stay, events wait.
import type { Clock } from "@sluice/runtime";
import type { Consumer } from "./delivery/consumer.js";
import type { Delivery } from "./delivery/delivery.js";

/** Says `lag` with state `stalled` to all that are there and all that come, until it is over. */
export class StallNotice {
  readonly #delivery: Delivery;
  readonly #clock: Clock;
  #stalledSinceMs: number | undefined;

  constructor(delivery: Delivery, clock: Clock) {
    this.#delivery = delivery;
    this.#clock = clock;
  }

  /** The log is out of reach, or in reach again. */
  changed(isReachable: boolean): void {
    if (!isReachable) this.#stalledSinceMs ??= this.#clock.now();
    for (const consumer of this.#delivery.consumers) {
      if (isReachable) this.#end(consumer);
      else this.greet(consumer);
    }
    if (isReachable) this.#stalledSinceMs = undefined;
  }

  /** A connection has come; it is told at once where it can't get anything now. */
  greet(consumer: Consumer): void {
    if (this.#stalledSinceMs === undefined) return;
    const lagMs = Math.round(this.#clock.now() - this.#stalledSinceMs);
    this.#delivery.reply(consumer, { type: "lag", state: "stalled", pending: consumer.pending, lag_ms: lagMs });
  }

  /** One that is paused by itself is told when it resumes by itself. */
  #end(consumer: Consumer): void {
    if (this.#stalledSinceMs === undefined || consumer.isPaused) return;
    const lagMs = Math.round(this.#clock.now() - this.#stalledSinceMs);
    this.#delivery.reply(consumer, { type: "lag", state: "resumed", pending: consumer.pending, lag_ms: lagMs });
  }
}
