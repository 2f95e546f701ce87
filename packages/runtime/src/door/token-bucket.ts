// How often somebody may do something. Pure: the clock's reading is passed in.

export interface TokenBucketOptions {
  /** Tokens that come back each second, > 0. */
  readonly perSecond: number;
  /** Tokens it holds at most, and at the start; ≥ 1. */
  readonly burst: number;
}

const msPerS = 1000;

/** A token bucket. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: TokenBucketOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes a token if there is one. */
  take(nowMs: number): boolean {
    const { perSecond, burst } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, nowMs - this.#filledAtMs) / msPerS) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
