// When a connection is paused and when it is resumed (protocol §5). Pure: numbers in, a word out.

import type { Policy } from "@sluice/protocol";

/** What to do about a connection's fill. */
export type PressureDecision = "keep" | "pause" | "resume";

/** What to do past the limit. `none`: it isn't passed, or the buffer skips by itself when it is next read. */
export type OverflowDecision = "none" | "freeze" | "disconnect";

export interface BackpressureOptions {
  /** Share of the buffer at which a connection is paused, 0 to 1; default 0.8. */
  readonly highWatermark: number;
  /** Share at which it is resumed, below `highWatermark`; default 0.5. */
  readonly lowWatermark: number;
}

export class BackpressureHandler {
  readonly #highWatermark: number;
  readonly #lowWatermark: number;

  constructor(options: BackpressureOptions) {
    this.#highWatermark = options.highWatermark;
    this.#lowWatermark = options.lowWatermark;
  }

  /** Paused at or over the high watermark, resumed at or under the low one, otherwise as it was. */
  decide(pending: number, maxMessages: number, isPaused: boolean): PressureDecision {
    if (!isPaused && pending >= this.#highWatermark * maxMessages) return "pause";
    if (isPaused && pending <= this.#lowWatermark * maxMessages) return "resume";
    return "keep";
  }

  /** Whether the policy must act now that `pending` events wait. */
  overflow(pending: number, maxMessages: number, policy: Policy): OverflowDecision {
    if (pending <= maxMessages) return "none";
    if (policy === "drop-newest") return "freeze";
    return policy === "disconnect" ? "disconnect" : "none";
  }
}
