// What a client can show of itself.

/** Where a client stands. `Status["state"]` tells the forms apart. */
export type Status =
  /** Nothing is subscribed to yet. */
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  /** Everything published is here, or on its way. */
  | { readonly state: "live" }
  /** Events of the past are on their way to at least one subscription. */
  | { readonly state: "catching-up" }
  /** A consumer is slower than the stream: `pending` events wait, here and at the server. */
  | { readonly state: "lagging"; readonly pending: number; readonly lagMs: number | undefined }
  /** `at`: when the next attempt is made. */
  | { readonly state: "reconnecting"; readonly why: string; readonly attempt: number; readonly at: Date }
  /** For good. `code`: the close code, where one was the reason. */
  | { readonly state: "ended"; readonly why: string; readonly code: number | undefined };

/** Counts since `connect()`, and what was measured last. */
export interface Counters {
  /** Events that came over the socket. */
  readonly events: number;
  /** UTF-16 units of all frames that came. */
  readonly received: number;
  /** Events that came over the socket a second time, and were not handed out again. */
  readonly repeats: number;
  /** Times that a full buffer was let go of, to be fetched again. */
  readonly overflows: number;
  /** Pages fetched from the log. */
  readonly pages: number;
  /** Gaps handed out. */
  readonly gaps: number;
  /** Connections beyond the first. */
  readonly reconnects: number;
  /** Events in memory, over all subscriptions. */
  readonly buffered: number;
  /** Events published and durable. */
  readonly published: number;
  /** Loads and saves of cursors that failed. */
  readonly cursorFailures: number;
  /** Last measured round trip, ms. */
  readonly roundTripMs: number | undefined;
  /** What the server's clock is ahead of ours, ms. */
  readonly skewMs: number | undefined;
}

/** Whether two statuses say the same. */
export function isSameStatus(a: Status, b: Status): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
