// How long to wait before the next attempt: with full jitter, so that clients which were lost together don't come back
// together.

/** Least wait, ms. */
const backoffMinMs = 500;
/** Most wait, ms. */
const backoffMaxMs = 20_000;

/** A connection that held this long is a success whatever was waited before, ms. */
const stableMs = 5_000;

export interface Backoff {
  /** The wait before the next attempt, ms: `backoffMinMs` to `backoffMaxMs`. */
  next(): number;
  /** A connection held for `ms`. When that is longer than the wait for it was, the next wait is a short one again. */
  held(ms: number): void;
  /** Attempts since the last success. */
  readonly attempts: number;
}

/** Waits that grow with each attempt: `min + random × min × 2^attempt`, at most `max`. `random` gives 0 to below 1. */
export function createBackoff(random: () => number): Backoff {
  let attempts = 0;
  let lastMs = 0;
  return {
    next() {
      const spread = Math.min(backoffMaxMs, backoffMinMs * 2 ** attempts);
      attempts += 1;
      lastMs = Math.min(backoffMaxMs, Math.round(backoffMinMs + random() * spread));
      return lastMs;
    },
    held(ms) {
      if (ms >= Math.min(stableMs, lastMs)) attempts = 0;
    },
    get attempts() {
      return attempts;
    },
  };
}
