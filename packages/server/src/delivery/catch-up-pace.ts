// How much of the event loop's time those who catch up may take: a share of what live delivery leaves, so that live
// events find the loop free, and a little in any case, so that nobody waits for a quiet house.

import type { Clock } from "@sluice/runtime";

/**
 * Time earned by each ms in which the loop had nothing to do: catching up takes at most three quarters of what live
 * delivery leaves. What is left idle is what a burst of live events, or a collection of garbage, is made up for with.
 */
const earnedPerIdleMs = 3;
/** Share of all time that is earned however busy the loop is. */
const floorShare = 0.1;
/**
 * What can be saved up, ms: no rest for longer than that would keep the log's own threads waiting where cores are few, and
 * with them the commit of what is published meanwhile.
 */
const creditMsMax = 2;
/** What a turn that took longer than it should can owe, ms. */
const debtMsMax = 4;
/** The time over which it is seen whether there is live delivery, ms. */
const windowMs = 100;
/** With less of that time than this in live delivery there is none worth waiting for. */
const quietShare = 0.01;

export interface CatchUpPaceOptions {
  readonly clock: Clock;
  /** How long the event loop has had nothing to do, in all, ms. */
  readonly idleMs: () => number;
  /** How long live delivery has worked, in all, ms. */
  readonly liveMs: () => number;
}

/** Decides when those who catch up may have a turn. Pure: time is passed in. */
export class CatchUpPace {
  readonly #options: CatchUpPaceOptions;
  #creditMs = creditMsMax;
  /** Time of live delivery, what is longer ago counting less. */
  #liveMs = 0;
  #seen: { readonly now: number; readonly idle: number; readonly live: number };

  constructor(options: CatchUpPaceOptions) {
    this.#options = options;
    this.#seen = this.#look();
  }

  /** Whether live delivery is so little that it needs no room; then nobody waits. */
  get isQuiet(): boolean {
    return this.#liveMs < windowMs * quietShare;
  }

  /** Whether a turn may begin now. */
  mayBegin(): boolean {
    const before = this.#seen;
    const seen = this.#look();
    this.#seen = seen;
    const passedMs = seen.now - before.now;
    this.#liveMs = this.#liveMs * Math.exp(-passedMs / windowMs) + seen.live - before.live;
    const earnedMs = (seen.idle - before.idle) * earnedPerIdleMs + passedMs * floorShare;
    this.#creditMs = Math.min(creditMsMax, this.#creditMs + earnedMs);
    return this.isQuiet || this.#creditMs > 0;
  }

  /** Notes how long a turn took, ms. */
  spend(ms: number): void {
    this.#creditMs = Math.max(-debtMsMax, this.#creditMs - ms);
  }

  #look(): { now: number; idle: number; live: number } {
    const { clock, idleMs, liveMs } = this.#options;
    return { now: clock.now(), idle: idleMs(), live: liveMs() };
  }
}
