// How long to wait before the next attempt: with full jitter, so that clients which were lost together don't come back
// together.

/** Least wait, ms. */
export const backoffMinMs = 500;
/** Most wait, ms. */
export const backoffMaxMs = 20_000;

/** Doublings after which the cap holds anyway; keeps the power finite. */
const doublingsMax = 16;

/** Waits that grow with each attempt: `min + random × min × 2^attempt`, at most `max`. Pure, apart from `random`. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

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
    const spread = backoffMinMs * 2 ** Math.min(this.#attempts, doublingsMax);
    this.#attempts += 1;
    return Math.min(backoffMaxMs, Math.round(backoffMinMs + this.#random() * Math.min(backoffMaxMs, spread)));
  }

  /** A success that held: the next wait is a short one again. */
  reset(): void {
    this.#attempts = 0;
  }
}
