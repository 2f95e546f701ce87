// Liveness by application-level ping and pong (protocol §2): who is pinged when, and who has gone. One timer for all,
// no wait on any socket; decides by a clock that is passed in.

import { type Clock, every } from "@sluice/runtime";
import { Beat, type HeartbeatPort } from "./beat.js";
import type { ConnectionState } from "./connection-state.js";
import { TimerWheel } from "./timer-wheel.js";

export interface HeartbeatOptions {
  /** `heartbeat.interval_ms`. */
  readonly intervalMs: number;
  /** `heartbeat.timeout_ms`. */
  readonly timeoutMs: number;
  /** `heartbeat.max_missed`. */
  readonly maxMissed: number;
  readonly clock: Clock;
  /** Told of every pong that did not come in time. */
  readonly onMiss?: () => void;
  /** Runs the next piece of many pings after what is ready now has had its turn; default `setImmediate`. */
  readonly nextTurn?: (run: () => void) => void;
}

const slotMsMin = 5;
/**
 * Connections whose pings fall into one slot are pinged in one waking of the process, and their pongs mostly come back in
 * one: on a virtual machine a waking costs 70 to 140 µs, more than a ping and its pong together, and what many pings in
 * a row share is in the processor's caches after the first. 9,000 connections at an interval of 30 s are 300 pings a slot.
 */
const slotMsMax = 1000;
/** A ping is late by at most this share of the interval. */
const slotShare = 1 / 30;
const slotsMax = 1024;
/** Pings in a row, about a millisecond of work; then whatever else is ready has its turn. */
const pingsAtOnce = 64;
/** A deadline is late by at most this share of a slot, so that those of one slot's pings are one waking or two. */
const deadlineShare = 1 / 40;
/** A connection's first ping leaves it the time to subscribe, ms; half an interval where that is shorter. */
const firstPingMsMin = 1000;
/** Fraction of the golden ratio: successive multiples of it, modulo 1, are spread evenly however many there are. */
const goldenFraction = 0.618_033_988_749_894_9;

/** The connections that were pinged in one moment. */
interface Pinged {
  readonly atMs: number;
  readonly beats: Beat[];
  /** Of each, its `backlogProgress` then. */
  readonly progress: (number | undefined)[];
}

export class HeartbeatManager {
  readonly #options: HeartbeatOptions;
  readonly #beats = new Map<string, Beat>();
  readonly #wheel: TimerWheel<Beat>;
  /** Those whose deadline is to come, oldest first: all wait equally long. */
  readonly #pinged: Pinged[] = [];
  /** Whose ping is due, from `#dueAt` on. */
  #due: readonly Beat[] = [];
  #dueAt = 0;
  readonly #slotMs: number;
  #registered = 0;
  #end: (() => void) | undefined;
  #deadline: NodeJS.Timeout | undefined;
  readonly #nextTurn: (run: () => void) => void;
  readonly #pingMore = (): void => this.#pingSome();
  readonly #judgeDue = (): void => this.#judgeAll();

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { intervalMs, clock, nextTurn = setImmediate } = options;
    this.#nextTurn = nextTurn;
    this.#slotMs = Math.min(slotMsMax, Math.max(slotMsMin, intervalMs * slotShare));
    const slots = Math.min(slotsMax, Math.ceil(intervalMs / this.#slotMs) + 1);
    this.#wheel = new TimerWheel({ slotMs: this.#slotMs, slots, nowMs: clock.now() });
  }

  /** Begins to look at the clock; it doesn't keep the process alive. */
  start(): void {
    this.#end ??= every(this.#slotMs, () => this.tick());
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#due = [];
    this.#dueAt = 0;
  }

  /**
   * Takes a connection in. Its first ping comes within an interval, at a place of its own in it, and leaves time to
   * subscribe: connections that came in one moment are not pinged in one moment.
   */
  register(connectionId: string, userId: string, port: HeartbeatPort): Beat {
    const now = this.#nowMs();
    this.#registered += 1;
    const phase = (this.#registered * goldenFraction) % 1;
    const { intervalMs } = this.#options;
    const earliestMs = Math.min(firstPingMsMin, intervalMs / 2);
    const atMs = now + Math.floor(earliestMs + phase * (intervalMs - earliestMs));
    const beat = new Beat({ connectionId, userId, connectedAtMs: now }, port, atMs);
    this.#beats.set(connectionId, beat);
    this.#wheel.add(beat);
    return beat;
  }

  unregister(connectionId: string): void {
    const beat = this.#beats.get(connectionId);
    if (beat === undefined) return;
    beat.isAlive = false;
    this.#beats.delete(connectionId);
  }

  /** Any pong proves the client alive, whatever ping it answers. */
  handlePong(connectionId: string): void {
    const beat = this.#beats.get(connectionId);
    if (beat !== undefined) this.answered(beat);
  }

  /** The same for whoever keeps the beat that it got when it registered. */
  answered(beat: Beat): void {
    beat.pongedAtMs = this.#nowMs();
    beat.missedPongs = 0;
  }

  getConnectionState(connectionId: string): ConnectionState | undefined {
    return this.#beats.get(connectionId);
  }

  getActiveConnections(): ConnectionState[] {
    return [...this.#beats.values()];
  }

  /** Does what has become due; called by the timers. */
  tick(): void {
    const due = this.#wheel.take(this.#nowMs());
    if (due.length === 0) {
      this.#judgeAll();
      return;
    }
    const isUnderWay = this.#dueAt < this.#due.length;
    this.#due = isUnderWay ? [...this.#due.slice(this.#dueAt), ...due] : due;
    this.#dueAt = 0;
    if (!isUnderWay) this.#pingSome();
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.now());
  }

  #judgeAll(): void {
    const now = this.#nowMs();
    const { timeoutMs } = this.#options;
    for (let first = this.#pinged[0]; first !== undefined && first.atMs + timeoutMs <= now; first = this.#pinged[0]) {
      this.#pinged.shift();
      for (const [index, beat] of first.beats.entries()) {
        if (beat.isAlive) this.#judge(beat, first.atMs, first.progress[index]);
      }
    }
    this.#awaitDeadline();
  }

  /** Has the oldest pings judged when their time is over, which need not be when others are due. */
  #awaitDeadline(): void {
    clearTimeout(this.#deadline);
    const first = this.#pinged[0];
    if (first === undefined || this.#end === undefined) return;
    const leftMs = first.atMs + this.#options.timeoutMs - this.#nowMs();
    const graceMs = Math.max(1, this.#slotMs * deadlineShare);
    this.#deadline = setTimeout(this.#judgeDue, leftMs + graceMs).unref();
  }

  #pingSome(): void {
    const pinged: Pinged = { atMs: this.#nowMs(), beats: [], progress: [] };
    const until = Math.min(this.#due.length, this.#dueAt + pingsAtOnce);
    for (; this.#dueAt < until; this.#dueAt += 1) {
      const beat = this.#due[this.#dueAt] as Beat;
      if (beat.isAlive) this.#ping(beat, pinged);
    }
    if (pinged.beats.length > 0) this.#pinged.push(pinged);
    if (this.#dueAt < this.#due.length) {
      this.#nextTurn(this.#pingMore);
      return;
    }
    this.#due = [];
    // Where the timeout is some slots long, those who were pinged then, in as many pieces, are due by now.
    this.#judgeAll();
  }

  #ping(beat: Beat, pinged: Pinged): void {
    const now = pinged.atMs;
    beat.pingedAtMs = now;
    beat.port.sendPing();
    pinged.beats.push(beat);
    pinged.progress.push(beat.port.backlogProgress());
    // From when it was due, so that lateness doesn't add up; from now, when the process stood still for longer.
    beat.atMs = Math.max(beat.atMs + this.#options.intervalMs, now);
    this.#wheel.add(beat);
  }

  #judge(beat: Beat, pingedAtMs: number, progress: number | undefined): void {
    const { port } = beat;
    if (beat.pongedAtMs >= pingedAtMs) return;
    if (progress !== undefined && (port.backlogProgress() ?? Number.POSITIVE_INFINITY) > progress) return;
    beat.missedPongs += 1;
    this.#options.onMiss?.();
    if (beat.missedPongs < this.#options.maxMissed) return;
    beat.isAlive = false;
    this.#beats.delete(beat.connectionId);
    port.timeOut();
  }
}
