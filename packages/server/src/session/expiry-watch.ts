// When the tokens of living connections expire (protocol §6). One timer for all. Token times are wall-clock times, so
// the wall clock is asked again whenever a time seems to have come.

import type { Clock } from "@sluice/runtime";
import { TimerWheel } from "./timer-wheel.js";

/** How long before its expiry a client is told, ms (protocol §6). */
export const expiryNoticeMs = 60_000;

/** How late an expiry may be, ms. The heartbeat's default too: timers of one period are one waking of the process. */
const slotMs = 250;
const slots = 1024;
/** Looked at again after this at the latest, so that a step of the wall clock is noticed, ms. */
const recheckMs = 30_000;

export interface ExpiryPort {
  /** When the token expires, ms since the Unix epoch. */
  readonly expiresAtMs: number;
  /** The token is within its last minute. */
  notice(): void;
  expire(): void;
}

/** One watched connection; kept by whoever began the watch, to end it. */
export interface ExpiryHandle {
  isOver: boolean;
  /** When it is looked at next, monotonic ms. */
  atMs: number;
  readonly expiresAtMs: number;
  /** The client was told of it. */
  isNoticed: boolean;
  readonly port: ExpiryPort;
}

export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel<ExpiryHandle>;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wheel = new TimerWheel({ slotMs, slots, nowMs: clock.now() });
  }

  start(): void {
    this.#timer ??= setInterval(() => this.tick(), slotMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  watch(port: ExpiryPort): ExpiryHandle {
    const { expiresAtMs } = port;
    const handle = { isOver: false, atMs: this.#clock.now(), expiresAtMs, isNoticed: false, port };
    this.#look(handle);
    return handle;
  }

  tick(): void {
    for (const handle of this.#wheel.take(this.#clock.now())) if (!handle.isOver) this.#look(handle);
  }

  #look(handle: ExpiryHandle): void {
    const leftMs = handle.expiresAtMs - this.#clock.wall();
    if (leftMs <= 0) {
      handle.isOver = true;
      handle.port.expire();
      return;
    }
    if (leftMs <= expiryNoticeMs && !handle.isNoticed) {
      handle.isNoticed = true;
      handle.port.notice();
    }
    const untilNextMs = leftMs > expiryNoticeMs ? leftMs - expiryNoticeMs : leftMs;
    handle.atMs = this.#clock.now() + Math.min(untilNextMs, recheckMs);
    this.#wheel.add(handle);
  }
}
