// What a client can show of itself.

/** What ended a connection, or kept it from being made. */
export interface Loss {
  /** Of the close; 1006 where nobody said goodbye; undefined where there was no connection. */
  readonly code?: number | undefined;
  /** What the token function threw, or the WebSocket told of; browsers tell nothing. */
  readonly cause?: unknown;
}

/** Who ended it: `close()` · the server, which refused a `token` and no other can come: sign in again · the server, for good. */
export type EndReason = "closed" | "token" | "refused";

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
  | ({ readonly state: "reconnecting"; readonly why: string; readonly attempt: number; readonly at: Date } & Loss)
  /** For good. */
  | ({ readonly state: "ended"; readonly reason: EndReason; readonly why: string } & Loss);

/** Counts since `connect()`. */
export interface Tally {
  /** Events that came over the socket. */
  events: number;
  /** UTF-16 units of all frames that came. */
  received: number;
  /** Events that came over the socket a second time, and were not handed out again. */
  repeats: number;
  /** Times that a full buffer was let go of, to be fetched again. */
  overflows: number;
  /** Pages fetched from the log. */
  pages: number;
  /** Gaps handed out. */
  gaps: number;
  /** Connections that were greeted by the server. */
  connections: number;
  /** Events published and durable. */
  published: number;
  /** Loads and saves of cursors that failed. */
  cursorFailures: number;
}

/** Counts since `connect()`, and what is so now. */
export interface Counters extends Readonly<Tally> {
  /** Events in memory, over all subscriptions. */
  readonly buffered: number;
  /** Last measured round trip, ms. */
  readonly roundTripMs: number | undefined;
  /** What the server's clock is ahead of ours, ms. */
  readonly skewMs: number | undefined;
}
