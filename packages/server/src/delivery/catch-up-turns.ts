// Whose turn it is to be fed from behind, and when. Those who fell behind a moment ago are part of live delivery and
// have their turn at once; those who have been away for longer have what live delivery leaves.

import type { Clock } from "@sluice/runtime";
import { CatchUpPace } from "./catch-up-pace.js";
import type { Consumer } from "./consumer.js";
import type { EventLoop } from "./event-loop.js";

/** What a turn may take before the live path has its own; its last slice may go past it. A write is 10 to 100 µs. */
const turnMax = { ms: 1, writes: 16 } as const;
/** The same beside live delivery: a publish takes several turns of the loop, and each may hold one of these. */
const turnMsBesideLive = 0.25;
/** One who was level within this time is not far behind, ms. */
const nearMs = 1000;
/** What the pace is waited for, ms: as short as timers are. */
const waitMs = 1;

export interface CatchUpTurnsOptions {
  readonly clock: Clock;
  readonly eventLoop: EventLoop;
  /** How long live delivery has worked, in all, ms. */
  readonly liveMs: () => number;
  /** A turn begins: nothing of an earlier one is under way. */
  readonly onTurn: () => void;
  /** Gives a consumer one slice; returns how many writes it took. */
  readonly run: (consumer: Consumer) => number;
}

/** Consumers that wait for a slice, in the order in which they asked. */
export class CatchUpTurns {
  readonly #options: CatchUpTurnsOptions;
  readonly #pace: CatchUpPace;
  readonly #near = new Set<Consumer>();
  readonly #far = new Set<Consumer>();
  #isTurnDue = false;
  #isWaiting = false;

  constructor(options: CatchUpTurnsOptions) {
    this.#options = options;
    const { clock, eventLoop, liveMs } = options;
    this.#pace = new CatchUpPace({ clock, idleMs: () => eventLoop.idleMs(), liveMs });
  }

  /** Gives the consumer a slice when its turn comes. */
  add(consumer: Consumer): void {
    if (this.#isFar(consumer)) this.#far.add(consumer);
    else this.#near.add(consumer);
    if (this.#near.size > 0 || !this.#isWaiting) this.#soon();
  }

  /** The consumer waits for none. */
  delete(consumer: Consumer): void {
    this.#near.delete(consumer);
    this.#far.delete(consumer);
  }

  #isFar({ buffer, levelAtMs }: Consumer): boolean {
    return buffer.catchingUp || this.#options.clock.now() - levelAtMs > nearMs;
  }

  #soon(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    this.#options.eventLoop.nextTurn(() => {
      this.#isTurnDue = false;
      this.#turn();
    });
  }

  #turn(): void {
    this.#options.onTurn();
    if (this.#near.size > 0) this.#serve(this.#near, turnMax.ms);
    const mayGoOn = this.#far.size > 0 && this.#serveFar();
    if (this.#near.size > 0 || (this.#far.size > 0 && mayGoOn)) this.#soon();
    else if (this.#far.size > 0) this.#wait();
  }

  /** Returns whether the pace had room. */
  #serveFar(): boolean {
    if (!this.#pace.mayBegin()) return false;
    this.#pace.spend(this.#serve(this.#far, this.#pace.isQuiet ? turnMax.ms : turnMsBesideLive));
    return true;
  }

  /** Returns how long it took, ms. */
  #serve(due: Set<Consumer>, ms: number): number {
    const { clock, run } = this.#options;
    const startMs = clock.now();
    let writes = 0;
    let elapsedMs = 0;
    // Who asks again meanwhile stands behind them, and has its turn in the next.
    let left = due.size;
    for (const consumer of due) {
      due.delete(consumer);
      left -= 1;
      writes += run(consumer);
      elapsedMs = clock.now() - startMs;
      if (left === 0 || writes >= turnMax.writes || elapsedMs >= ms) break;
    }
    return elapsedMs;
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.eventLoop.later(waitMs, () => {
      this.#isWaiting = false;
      if (!this.#isTurnDue) this.#turn();
    });
  }
}
