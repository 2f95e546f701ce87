import { describe, expect, it } from "vitest";
import { readServerMessage } from "./server-message.js";

const whole = {
  event: { type: "event", seq: 1, event_id: "a", event_type: "A", timestamp: "t", payload: null },
  connected: {
    type: "connected",
    epoch: "e",
    seq: 0,
    heartbeat: { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 },
  },
  ping: { type: "ping", timestamp: "t", seq: 3 },
  pong: { type: "pong", server_time: "t" },
  subscribed: { type: "subscribed", events: ["*"], clusters: [], seq: 3 },
  unsubscribed: { type: "unsubscribed", events: ["*"] },
  live: { type: "live", seq: 3 },
  lag: { type: "lag", state: "paused", pending: 800, lag_ms: 12 },
  gap: { type: "gap", reason: "overflow", from_seq: 1, to_seq: 2, dropped: null },
  token_expiring: { type: "token_expiring", expires_at: "t" },
  refreshed: { type: "refreshed", expires_at: "t" },
  error: { type: "error", code: "FORBIDDEN", message: "no" },
  disconnect: { type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 100 },
} as const;

describe("readServerMessage", () => {
  it.each(Object.entries(whole))("reads %s", (_type, frame) => {
    expect(readServerMessage(JSON.stringify(frame))).toEqual(frame);
  });

  it.each([
    "",
    "no json",
    "null",
    "[]",
    "7",
    "{}",
    '{"type":7}',
    '{"type":"novelty"}',
    '{"type":"__proto__"}',
    '{"type":"constructor"}',
    '{"type":"event"}',
    '{"type":"event","seq":-1,"event_type":"A","timestamp":"t"}',
    '{"type":"event","seq":9007199254740992,"event_type":"A","timestamp":"t"}',
    '{"type":"connected","epoch":"e","seq":0,"heartbeat":null}',
    '{"type":"gap","reason":"overflow","from_seq":1,"to_seq":2}',
  ])("passes over %s", (text) => {
    expect(readServerMessage(text)).toBeUndefined();
  });
});
