// Time, chance and timers that move when a test says so.
import type { Environment } from "../environment.js";

interface Timer {
  readonly atMs: number;
  readonly run: () => unknown;
}

/** Turns of the microtask queue that settle whatever a test has set going. */
const turns = 50;

/** Lets promises settle; no time passes. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}

export class ManualEnvironment implements Environment {
  /** What `random` gives next. */
  chance = 0;
  #nowMs = 1_000;
  #timers: Timer[] = [];

  readonly now = (): number => this.#nowMs;
  readonly wall = (): number => 1_700_000_000_000 + this.#nowMs;
  readonly random = (): number => this.chance;
  readonly after = (ms: number, run: () => unknown): (() => void) => {
    const timer = { atMs: this.#nowMs + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.length;
  }

  /** Time passes; timers run when they are due, in order. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
      await settled();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}
