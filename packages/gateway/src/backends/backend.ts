// One service behind the gateway: what is known of it, and whether it may get the next caller. Pure.
import { DialTurns } from "./dial-turns.js";

/** What the last looks at it said. */
export type BackendHealth = "unknown" | "up" | "down";

/** One backend, as `/healthz/detailed` shows it. */
export interface BackendView {
  readonly url: string;
  readonly health: BackendHealth;
  /** Whether it may get the next caller. */
  readonly available: boolean;
  readonly draining: boolean;
  /** Tunnels and requests that it has now. */
  readonly connections: number;
  /** For how long it is left alone after failures, ms; 0 when it is not. */
  readonly ejected_ms: number;
}

const ejectionMsMin = 1_000;
const ejectionMsMax = 30_000;
const lateLooksMax = 2;

export class Backend {
  readonly url: URL;
  /** Of the handshakes with it. */
  readonly turns = new DialTurns();
  /** Tunnels and requests, those on their way included. */
  connections = 0;
  /** Whether it gets nobody new: an operator drains it, or it has left the list. */
  isDraining = false;
  #health: BackendHealth = "unknown";
  #lateLooks = 0;
  #failures = 0;
  #ejectedUntilMs = 0;

  constructor(url: URL) {
    this.url = url;
  }

  get health(): BackendHealth {
    return this.#health;
  }

  /** Whether it may be dialled. One that nobody has looked at yet may. */
  get isAvailable(): boolean {
    return !this.isDraining && this.#health !== "down";
  }

  /** Whether callers found it failing lately: it comes last. */
  isEjected(nowMs: number): boolean {
    return this.#ejectedUntilMs > nowMs;
  }

  /** A caller's dial came through, so a look that was late says only that it is busy. */
  succeeded(): void {
    this.#failures = 0;
    this.#lateLooks = 0;
    this.#ejectedUntilMs = 0;
  }

  /** A caller's dial failed: left alone for 1 s, twice as long each time in a row, 30 s at most. */
  failed(nowMs: number): void {
    const ms = Math.min(ejectionMsMax, ejectionMsMin * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.#ejectedUntilMs = nowMs + ms;
  }

  /** A look at `/readyz`: `late` counts only when the one before it was late as well. */
  looked(result: "ready" | "not-ready" | "late"): void {
    this.#lateLooks = result === "late" ? this.#lateLooks + 1 : 0;
    if (result === "ready") this.#health = "up";
    else if (result === "not-ready" || this.#lateLooks >= lateLooksMax) this.#health = "down";
  }

  view(nowMs: number): BackendView {
    return {
      url: this.url.href,
      health: this.#health,
      available: this.isAvailable,
      draining: this.isDraining,
      connections: this.connections,
      ejected_ms: Math.max(0, Math.round(this.#ejectedUntilMs - nowMs)),
    };
  }
}
