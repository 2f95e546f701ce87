// Tells a silent server from a quiet one: it pings every interval, so silence for longer means that it is gone.

/** What a ping may be late by on its way, ms. */
const marginMs = 2_000;
/** Longest wait for `connected` after the handshake, ms. */
export const greetingMaxMs = 10_000;

/** The deadline by which something must have been heard. Pure: times are handed in, any monotonic clock's ms. */
export class SilenceWatch {
  #allowedMs = greetingMaxMs;
  #heardAt: number;
  #isSuspended = false;

  constructor(nowMs: number) {
    this.#heardAt = nowMs;
  }

  /** The rhythm that `connected` announced (protocol.md §2). */
  setHeartbeat(heartbeat: { readonly interval_ms: number; readonly timeout_ms: number }): void {
    this.#allowedMs = heartbeat.interval_ms + heartbeat.timeout_ms + marginMs;
  }

  /** Silence that is allowed, ms. */
  get allowedMs(): number {
    return this.#allowedMs;
  }

  heard(nowMs: number): void {
    this.#heardAt = nowMs;
  }

  /** We don't listen for a while, so silence is our own doing. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** We listen again; the server gets a whole interval. */
  resume(nowMs: number): void {
    this.#isSuspended = false;
    this.#heardAt = nowMs;
  }

  /** Until the deadline, ms; 0 or less when it has passed. */
  remainingMs(nowMs: number): number {
    return this.#isSuspended ? this.#allowedMs : this.#heardAt + this.#allowedMs - nowMs;
  }
}
