// When clients that lost their backend, or found none, come back: each at a moment of its own, so that whatever number was
// lost at once, a service that is back is met by a steady stream of them (protocol §7).
import type { DisconnectFrame } from "@sluice/protocol";
import type { Clock } from "@sluice/runtime";
import { encodeTextFrame } from "./text-frame.js";

/** Longest wait asked for, ms; as long as clients wait by themselves. Where more are away than fit in, chance decides. */
const waitMsMax = 20_000;
/** How long a backend that had too many at once is spared, ms. */
const crowdedMs = 10_000;
/** Slowest pace, moments a second: what was counted may have been a second in which nothing moved. */
const pacePerSecondMin = 50;
const msPerS = 1_000;

/** Gives out moments to come back, one after the other. */
export class ReturnSchedule {
  /** Most moments a second; may be changed at any time. */
  perSecond: number;
  /** What backends took in the second before, and so far in this one. */
  #openedBefore = 0;
  #opened = 0;
  #secondMs = 0;
  /** Moments a second as long as backends are crowded. */
  #crowdedPace = 0;
  #crowdedUntilMs = Number.NEGATIVE_INFINITY;
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
    const pace = now < this.#crowdedUntilMs ? Math.min(this.perSecond, this.#crowdedPace) : this.perSecond;
    const atMs = Math.max(this.#lastMs + msPerS / pace, now + waitMsMin);
    if (atMs - now > waitMsMax) return Math.round(waitMsMin + this.#random() * (waitMsMax - waitMsMin));
    this.#lastMs = atMs;
    return Math.round(atMs - now);
  }

  /** A backend has taken a client. */
  opened(): void {
    this.#countTo(this.#clock.now());
    this.#opened += 1;
  }

  /** A client waited in vain for a backend to take it: for some time clients come at the pace at which it takes them. */
  crowded(): void {
    const now = this.#clock.now();
    this.#countTo(now);
    this.#crowdedPace = Math.max(this.#openedBefore, this.#opened, pacePerSecondMin);
    this.#crowdedUntilMs = now + crowdedMs;
  }

  #countTo(now: number): void {
    const passed = now - this.#secondMs;
    if (passed < msPerS) return;
    this.#openedBefore = passed < 2 * msPerS ? this.#opened : 0;
    this.#opened = 0;
    this.#secondMs = now;
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
