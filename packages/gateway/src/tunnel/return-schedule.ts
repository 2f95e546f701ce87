// When clients that lost their backend, or found none, come back: each at a moment of its own, so that whatever number was
// lost at once, a service that is back is met by a steady stream of them (protocol §7).
import type { DisconnectFrame } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import { encodeTextFrame } from "./text-frame.js";

/** Longest wait asked for, ms; as long as clients wait by themselves. Where more are away than fit in, chance decides. */
const waitMsMax = 20_000;
const msPerS = 1_000;

/** Gives out moments to come back, one after the other. */
export class ReturnSchedule {
  /** Moments a second; may be changed at any time. */
  perSecond: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly perSecond: number; readonly clock: Clock; readonly random?: () => number }) {
    this.perSecond = options.perSecond;
    this.#clock = options.clock;
    this.#random = options.random ?? Math.random;
  }

  /** The wait of the next client, ms: `waitMsMin` at least, 20 s at most. */
  next(waitMsMin: number): number {
    const now = this.#clock.now();
    const atMs = Math.max(this.#lastMs + msPerS / this.perSecond, now + waitMsMin);
    if (atMs - now > waitMsMax) return Math.round(waitMsMin + this.#random() * (waitMsMax - waitMsMin));
    this.#lastMs = atMs;
    return Math.round(atMs - now);
  }

  /** What tells the next client, as bytes for its socket. */
  nextFrame(waitMsMin: number): Buffer {
    const frame: DisconnectFrame = {
      type: "disconnect",
      reason: "backend_unavailable",
      reconnect_after_ms: this.next(waitMsMin),
    };
    return encodeTextFrame(JSON.stringify(frame));
  }
}
