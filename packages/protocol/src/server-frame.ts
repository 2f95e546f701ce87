// What the server says (protocol §1–§7), as JSON objects. Events are not here: their bytes are made once, at the log.

import type { ErrorCode } from "./error-codes.js";
import type { Policy } from "./policies.js";

/** The subprotocol this contract goes by in `Sec-WebSocket-Protocol`. */
export const subprotocol = "sluice.v1";

export interface ConnectedFrame {
  readonly type: "connected";
  readonly connection_id: string;
  readonly user_id: string;
  readonly protocol: typeof subprotocol;
  readonly server_time: string;
  readonly epoch: string;
  /** Everything up to here was published before this connection: a position to resume from. */
  readonly seq: number;
  readonly policy: Policy;
  readonly heartbeat: { readonly interval_ms: number; readonly timeout_ms: number; readonly max_missed: number };
  readonly buffer: { readonly max_messages: number; readonly high_watermark: number; readonly low_watermark: number };
}

export interface PingFrame {
  readonly type: "ping";
  readonly timestamp: string;
  /** Every event up to here that this connection subscribed to has been sent. */
  readonly seq: number;
}

export interface PongFrame {
  readonly type: "pong";
  readonly timestamp?: string | number | undefined;
  readonly server_time: string;
}

export interface SubscribedFrame {
  readonly type: "subscribed";
  readonly id?: string | undefined;
  readonly events: readonly string[];
  readonly clusters: readonly string[];
  /** Live events of the subscription are those with a greater seq. */
  readonly seq: number;
}

export interface UnsubscribedFrame {
  readonly type: "unsubscribed";
  readonly id?: string | undefined;
  readonly events: readonly string[];
  /** With a reason: only these clusters of the subscriptions ended; absent when the whole of them did. */
  readonly clusters?: readonly string[] | undefined;
  /** Given when the server ended the subscriptions. */
  readonly reason?: "forbidden" | undefined;
}

/** A replay asked for by `since` has met the live end. */
export interface LiveFrame {
  readonly type: "live";
  readonly id?: string | undefined;
  readonly seq: number;
}

export interface LagFrame {
  readonly type: "lag";
  readonly state: "paused" | "resumed" | "stalled";
  /** Events waiting for this connection. */
  readonly pending: number;
  /** Age of the oldest of them. */
  readonly lag_ms: number;
}

export type GapReason = "overflow" | "retention" | "epoch";

/** Events are missing here, in this place of the stream. */
export interface GapFrame {
  readonly type: "gap";
  readonly reason: GapReason;
  readonly from_seq: number;
  readonly to_seq: number;
  /** How many that this connection subscribed to; null where it cannot be known. */
  readonly dropped: number | null;
}

export interface TokenExpiringFrame {
  readonly type: "token_expiring";
  readonly expires_at: string;
}

export interface RefreshedFrame {
  readonly type: "refreshed";
  readonly id?: string | undefined;
  readonly expires_at: string;
}

export interface ErrorFrame {
  readonly type: "error";
  readonly id?: string | undefined;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface DisconnectFrame {
  readonly type: "disconnect";
  /** `backend_unavailable`: said by a gateway, of the service behind it. */
  readonly reason: "server_shutdown" | "backend_unavailable";
  /** Wait this long before coming back; spread over all connections. */
  readonly reconnect_after_ms: number;
}

export type ServerFrame =
  | ConnectedFrame
  | PingFrame
  | PongFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | LiveFrame
  | LagFrame
  | GapFrame
  | TokenExpiringFrame
  | RefreshedFrame
  | ErrorFrame
  | DisconnectFrame;

/** RFC 3339 UTC with milliseconds, as every time on the wire. */
export function wireTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
