// Tells a silent server from a quiet one. The server pings every interval; silence for longer is asked about once, since
// a tab that slept has heard nothing either, and only an unanswered question means that the server is gone.

/** The rhythm that `connected` announces (protocol.md §2). */
export interface Heartbeat {
  readonly interval_ms: number;
  readonly timeout_ms: number;
}

/** What to do now. */
export type Verdict =
  | { readonly act: "wait"; readonly ms: number }
  /** Send a ping, then look again after `ms`. */
  | { readonly act: "probe"; readonly ms: number }
  | { readonly act: "lost"; readonly silentMs: number };

/** Longest wait for `connected` from the first packet on, ms. */
const greetingMaxMs = 10_000;
/** What a ping may be late by before we ask, ms. */
const marginMs = 2_000;

/** Pure: times are handed in, from one monotonic clock. */
export class Liveness {
  #heardAt: number;
  #heartbeat: Heartbeat | undefined;
  #probedAt: number | undefined;
  #isSuspended = false;
  #roundTripMs: number | undefined;
  #skewMs: number | undefined;

  constructor(now: number) {
    this.#heardAt = now;
  }

  /** The last round trip that was measured, ms. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** What the server's wall clock is ahead of ours, ms; good to half a round trip. */
  get skewMs(): number | undefined {
    return this.#skewMs;
  }

  /** The server has greeted us. */
  begin(heartbeat: Heartbeat, now: number): void {
    this.#heartbeat = heartbeat;
    this.heard(now);
  }

  /** Anything came. */
  heard(now: number): void {
    this.#heardAt = now;
    this.#probedAt = undefined;
  }

  /** A pong came to the ping of `sentAt`. */
  answered(sentAt: number, now: number, serverWall: number, wall: number): void {
    this.#roundTripMs = Math.max(0, now - sentAt);
    if (Number.isFinite(serverWall)) this.#skewMs = serverWall - (wall - this.#roundTripMs / 2);
  }

  /** We read nothing for a while, so silence is our own doing. */
  suspend(): void {
    this.#isSuspended = true;
  }

  /** We read again; the server gets a whole interval. */
  resume(now: number): void {
    this.#isSuspended = false;
    this.heard(now);
  }

  /** Doubts the server at once: the network or the page has come back. */
  doubt(now: number): void {
    if (this.#heartbeat !== undefined && !this.#isSuspended)
      this.#heardAt = Math.min(this.#heardAt, now - this.#quietMs);
  }

  get #quietMs(): number {
    return (this.#heartbeat?.interval_ms ?? 0) + marginMs;
  }

  /** What to do at `now`; asked again after the time that it names. */
  look(now: number): Verdict {
    const silentMs = now - this.#heardAt;
    if (this.#heartbeat === undefined) {
      return silentMs < greetingMaxMs ? { act: "wait", ms: greetingMaxMs - silentMs } : { act: "lost", silentMs };
    }
    if (this.#isSuspended) return { act: "wait", ms: this.#quietMs };
    if (silentMs < this.#quietMs) return { act: "wait", ms: this.#quietMs - silentMs };
    const { timeout_ms: answerMs } = this.#heartbeat;
    if (this.#probedAt === undefined) {
      this.#probedAt = now;
      return { act: "probe", ms: answerMs };
    }
    const askedMs = now - this.#probedAt;
    return askedMs < answerMs ? { act: "wait", ms: answerMs - askedMs } : { act: "lost", silentMs };
  }
}
