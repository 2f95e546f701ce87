// What the server sends, read as far as a client needs it. Frames of types that we don't know are none (protocol.md).
import type { ServerFrame } from "@sluice/protocol";

/** An event as protocol.md §4 has it. */
export interface EventMessage {
  readonly type: "event";
  readonly seq: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly cluster_id?: string;
  readonly timestamp: string;
  readonly source?: string;
  readonly subject?: string;
  readonly payload: unknown;
}

/** Any frame from the server. */
export type ServerMessage = EventMessage | ServerFrame;

type Check = (message: Readonly<Record<string, unknown>>) => boolean;

const isSeq = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): boolean => typeof value === "string";

/** What we rely on, by type; a frame of a known type without it is no frame. */
const checks: Readonly<Record<ServerMessage["type"], Check>> = {
  event: ({ seq, event_type, timestamp }) => isSeq(seq) && isText(event_type) && isText(timestamp),
  connected: ({ epoch, seq, heartbeat }) => isText(epoch) && isSeq(seq) && isHeartbeat(heartbeat),
  ping: ({ seq }) => isSeq(seq),
  pong: () => true,
  subscribed: ({ seq }) => isSeq(seq),
  unsubscribed: ({ events }) => Array.isArray(events),
  live: ({ seq }) => isSeq(seq),
  lag: ({ state, pending, lag_ms }) => isText(state) && isSeq(pending) && typeof lag_ms === "number",
  gap: ({ reason, from_seq, to_seq, dropped }) =>
    isText(reason) && isSeq(from_seq) && isSeq(to_seq) && (dropped === null || isSeq(dropped)),
  token_expiring: ({ expires_at }) => isText(expires_at),
  refreshed: ({ expires_at }) => isText(expires_at),
  error: ({ code, message }) => isText(code) && isText(message),
  disconnect: ({ reconnect_after_ms }) => typeof reconnect_after_ms === "number",
};

/** One text message; undefined for what is no frame that we know. */
export function readServerMessage(text: string): ServerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return undefined;
  const { type } = value;
  if (typeof type !== "string" || !Object.hasOwn(checks, type)) return undefined;
  const isWhole = checks[type as ServerMessage["type"]](value);
  return isWhole ? (value as ServerMessage) : undefined;
}

function isHeartbeat(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { interval_ms, timeout_ms } = value as Readonly<Record<string, unknown>>;
  return isSeq(interval_ms) && isSeq(timeout_ms);
}
