// When the tokens of living connections expire (protocol §6). One timer for all, and for each its last moments. Token
// times are wall-clock times, so the wall clock is asked again whenever a time seems to have come, and a step of it is
// looked for; a connection whose time is far costs nothing.

import { type Clock, every } from "@sluice/runtime";
import { TimerWheel } from "./timer-wheel.js";

/** How long before its expiry a client is told, ms (protocol §6). */
export const expiryNoticeMs = 60_000;

/** Between two looks, ms; the heartbeat's default too, so that both are one waking of the process. */
const lookMs = 1000;
/** Times that are nearer than this have a timer of their own, ms; a look may be late. */
const slotMs = 2 * lookMs;
const slots = 1024;
/** All are looked at anew when the wall clock has gone by this much more or less than the monotonic one, ms. */
const stepMsMin = 250;

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

/** Runs something after a time, without keeping the process alive. */
export type RunLater = (run: () => void, ms: number) => unknown;

export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #later: RunLater;
  readonly #wheel: TimerWheel<ExpiryHandle>;
  /** What the wall clock was ahead of the monotonic one when the times in the wheel were told from it. */
  #aheadMs: number;
  #end: (() => void) | undefined;

  /** @param later default `setTimeout` */
  constructor(clock: Clock, later: RunLater = (run, ms) => void setTimeout(run, ms).unref()) {
    this.#clock = clock;
    this.#later = later;
    this.#wheel = new TimerWheel({ slotMs, slots, nowMs: clock.now() });
    this.#aheadMs = clock.wall() - clock.now();
  }

  start(): void {
    this.#end ??= every(lookMs, () => this.tick());
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }

  watch(port: ExpiryPort): ExpiryHandle {
    const { expiresAtMs } = port;
    const handle = { isOver: false, atMs: this.#clock.now(), expiresAtMs, isNoticed: false, port };
    this.#look(handle);
    return handle;
  }

  /** Looks at what is due before the next look; to be called every second. */
  tick(): void {
    const aheadMs = this.#clock.wall() - this.#clock.now();
    const isStepped = Math.abs(aheadMs - this.#aheadMs) > stepMsMin;
    if (isStepped) this.#aheadMs = aheadMs;
    const handles = isStepped ? this.#wheel.takeAll() : this.#wheel.take(this.#clock.now() + slotMs);
    for (const handle of handles) this.#look(handle);
  }

  #look(handle: ExpiryHandle): void {
    if (handle.isOver) return;
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
    handle.atMs = this.#clock.now() + untilNextMs;
    if (untilNextMs > slotMs) this.#wheel.add(handle);
    // Timers count whole milliseconds.
    else this.#later(() => this.#look(handle), Math.ceil(untilNextMs));
  }
}
