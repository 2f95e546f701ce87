// Liveness by application-level ping and pong (protocol §2): who is pinged when, and who has gone. One timer for all,
// no wait on any socket; decides by a clock that is passed in.

import type { Clock } from "@sluice/runtime";
import type { ConnectionState } from "./connection-state.js";
import { TimerWheel } from "./timer-wheel.js";

/** What the manager does to a connection. Both return at once. */
export interface HeartbeatPort {
  sendPing(): void;
  /** `max_missed` pongs in a row were missed. */
  timeOut(): void;
  /**
   * Grows as a socket that couldn't take a ping at once takes other bytes; undefined when the ping went straight out.
   * A peer that reads slowly has the ping still ahead of it, and is not a dead one.
   */
  backlogProgress(): number | undefined;
}

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
}

const slotMsMin = 5;
/**
 * Connections whose pings fall into one slot are pinged in one waking of the process, and their pongs mostly come back in
 * one: on a virtual machine a waking costs 70 to 140 µs, more than a ping and its pong together. 9,000 connections at an
 * interval of 30 s are 75 pings a slot, 2 ms of work.
 */
const slotMsMax = 250;
/** A ping or deadline is late by at most this share of the shorter of the two times. */
const slotShare = 0.025;
const slotsMax = 1024;
/** A connection's first ping leaves it the time to subscribe, ms; half an interval where that is shorter. */
const firstPingMsMin = 1000;
/** Fraction of the golden ratio: successive multiples of it, modulo 1, are spread evenly however many there are. */
const goldenFraction = 0.618_033_988_749_894_9;

interface Beat {
  readonly state: ConnectionState;
  readonly port: HeartbeatPort;
}

type Due =
  | { readonly kind: "ping"; readonly beat: Beat; readonly atMs: number }
  | {
      readonly kind: "deadline";
      readonly beat: Beat;
      readonly pingedAtMs: number;
      readonly progress: number | undefined;
    };

export class HeartbeatManager {
  readonly #options: HeartbeatOptions;
  readonly #beats = new Map<string, Beat>();
  readonly #wheel: TimerWheel<Due>;
  readonly #slotMs: number;
  #registered = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    const { intervalMs, timeoutMs, clock } = options;
    const slotMs = Math.min(intervalMs, timeoutMs) * slotShare;
    this.#slotMs = Math.min(slotMsMax, Math.max(slotMsMin, slotMs));
    const slots = Math.min(slotsMax, Math.ceil((intervalMs + timeoutMs) / this.#slotMs) + 1);
    this.#wheel = new TimerWheel({ slotMs: this.#slotMs, slots, nowMs: clock.now() });
  }

  /** Begins to look at the clock; it doesn't keep the process alive. */
  start(): void {
    this.#timer ??= setInterval(() => this.tick(), this.#slotMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Takes a connection in. Its first ping comes within an interval, at a place of its own in it, and leaves time to subscribe: connections that came
   * in one moment are not pinged in one moment.
   */
  register(connectionId: string, userId: string, port: HeartbeatPort): ConnectionState {
    const now = this.#options.clock.now();
    const state: ConnectionState = {
      connectionId,
      userId,
      connectedAtMs: now,
      lastPingSentMs: null,
      lastPongReceivedMs: null,
      missedPongs: 0,
      isAlive: true,
    };
    const beat = { state, port };
    this.#beats.set(connectionId, beat);
    this.#registered += 1;
    const phase = (this.#registered * goldenFraction) % 1;
    const { intervalMs } = this.#options;
    const earliestMs = Math.min(firstPingMsMin, intervalMs / 2);
    const atMs = now + earliestMs + phase * (intervalMs - earliestMs);
    this.#wheel.add(atMs, { kind: "ping", beat, atMs });
    return state;
  }

  unregister(connectionId: string): void {
    const beat = this.#beats.get(connectionId);
    if (beat === undefined) return;
    beat.state.isAlive = false;
    this.#beats.delete(connectionId);
  }

  /** Any pong proves the client alive, whatever ping it answers. */
  handlePong(connectionId: string): void {
    const state = this.#beats.get(connectionId)?.state;
    if (state === undefined) return;
    state.lastPongReceivedMs = this.#options.clock.now();
    state.missedPongs = 0;
  }

  getConnectionState(connectionId: string): ConnectionState | undefined {
    return this.#beats.get(connectionId)?.state;
  }

  getActiveConnections(): ConnectionState[] {
    return [...this.#beats.values()].map(({ state }) => state);
  }

  /** Does what has become due; called by the timer. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const due of this.#wheel.take(now)) {
      if (!due.beat.state.isAlive) continue;
      if (due.kind === "ping") this.#ping(due.beat, due.atMs, now);
      else this.#judge(due.beat, due.pingedAtMs, due.progress);
    }
  }

  #ping(beat: Beat, dueAtMs: number, now: number): void {
    const { intervalMs, timeoutMs } = this.#options;
    beat.state.lastPingSentMs = now;
    beat.port.sendPing();
    const progress = beat.port.backlogProgress();
    this.#wheel.add(now + timeoutMs, { kind: "deadline", beat, pingedAtMs: now, progress });
    // From when it was due, so that lateness doesn't add up; from now, when the process stood still for longer.
    const atMs = Math.max(dueAtMs + intervalMs, now);
    this.#wheel.add(atMs, { kind: "ping", beat, atMs });
  }

  #judge({ state, port }: Beat, pingedAtMs: number, progress: number | undefined): void {
    if (state.lastPongReceivedMs !== null && state.lastPongReceivedMs >= pingedAtMs) return;
    if (progress !== undefined && (port.backlogProgress() ?? Number.POSITIVE_INFINITY) > progress) return;
    state.missedPongs += 1;
    this.#options.onMiss?.();
    if (state.missedPongs < this.#options.maxMissed) return;
    state.isAlive = false;
    this.#beats.delete(state.connectionId);
    port.timeOut();
  }
}
