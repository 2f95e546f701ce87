// Time that moves when a test says so.
import type { Clock } from "@sluice/runtime";

/** Both clocks of a process; the wall clock can be stepped apart from the monotonic one. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #wallMs = Date.now();

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return this.#wallMs;
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#wallMs += ms;
  }

  /** Somebody sets the wall clock. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }
}
