// Tells a silent server from a quiet one. The server pings every interval; silence for longer is asked about once, since
// a tab that slept has heard nothing either, and only an unanswered question means that the server is gone.

/** The rhythm that `connected` announces (protocol.md §2). */
export interface Heartbeat {
  readonly interval_ms: number;
  readonly timeout_ms: number;
}

/** Longest wait for `connected` from the first packet on, ms. */
const greetingMaxMs = 10_000;
/** What a ping may be late by before we ask, ms. */
const marginMs = 2_000;

/** Pure: times are handed in, from one monotonic clock. */
export interface Liveness {
  /** The server has greeted us. */
  begin(heartbeat: Heartbeat, now: number): void;
  /** Anything came, or nothing was read meanwhile: the server gets a whole interval. */
  heard(now: number): void;
  /** Doubts the server at once: the network or the page has come back. Once it has greeted us. */
  doubt(now: number): void;
  /** Calls `probe` where the server is to be asked now. @returns ms after which to look again; 0: it is lost. */
  look(now: number, probe: () => void): number;
}

export function createLiveness(startedAt: number): Liveness {
  let heardAt = startedAt;
  let probedAt: number | undefined;
  // Before the greeting there is nobody to ask.
  let quietMs = greetingMaxMs;
  let answerMs = 0;

  const heard = (now: number): void => {
    heardAt = now;
    probedAt = undefined;
  };
  return {
    begin({ interval_ms, timeout_ms }, now) {
      quietMs = interval_ms + marginMs;
      answerMs = timeout_ms;
      heard(now);
    },
    heard,
    doubt(now) {
      heardAt = Math.min(heardAt, now - quietMs);
    },
    look(now, probe) {
      if (now - heardAt < quietMs) return quietMs - (now - heardAt);
      if (probedAt === undefined) {
        probedAt = now;
        probe();
      }
      return Math.max(0, answerMs - (now - probedAt));
    },
  };
}
