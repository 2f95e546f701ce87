// How long to wait before the next attempt: with full jitter, so that clients which were lost together don't come back
// together.

/** Least wait, ms. */
const backoffMinMs = 500;
/** Most wait, ms. */
const backoffMaxMs = 20_000;

/** A connection that held this long is a success whatever was waited before, ms. */
const stableMs = 5_000;

/** Waits that grow with each attempt: `min + random × min × 2^attempt`, at most `max`. Pure, apart from `random`. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;
  #lastMs = 0;

  /** `random` gives numbers from 0 to below 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The wait before the next attempt, ms: `backoffMinMs` to `backoffMaxMs`. */
  next(): number {
    const spread = Math.min(backoffMaxMs, backoffMinMs * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#lastMs = Math.min(backoffMaxMs, Math.round(backoffMinMs + this.#random() * spread));
    return this.#lastMs;
  }

  /** A connection held for `ms`. When that is longer than the wait for it was, the next wait is a short one again. */
  held(ms: number): void {
    if (ms >= Math.min(stableMs, this.#lastMs)) this.#attempts = 0;
  }
}
