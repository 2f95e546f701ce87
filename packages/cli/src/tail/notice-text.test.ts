import { describe, expect, it } from "vitest";
import type { StreamNotice } from "./stream-notice.js";
import { paintFor } from "../terminal/paint.js";
import { noticeText } from "./notice-text.js";

const gap = { type: "gap", from_seq: 11, to_seq: 30 } as const;
const lag = { type: "lag", pending: 800, lag_ms: 1_500 } as const;

const cases: readonly (readonly [StreamNotice, string])[] = [
  [
    { kind: "subscribed", userId: "alice", resumedAfter: undefined, seq: 41 },
    "connected to http://x as alice; live from seq 42",
  ],
  [
    { kind: "subscribed", userId: "alice", resumedAfter: 7, seq: 41 },
    "connected to http://x as alice; everything after seq 7 first",
  ],
  [{ kind: "live", seq: 41 }, "caught up at seq 41; live from here"],
  [{ kind: "other-log" }, "the service has another log than before; positions begin anew"],
  [
    { kind: "gap", gap: { ...gap, reason: "overflow", dropped: 20 } },
    "gap: 20 events are missing between seq 11 and 30: this reader was too slow",
  ],
  [
    { kind: "gap", gap: { ...gap, reason: "retention", dropped: 1 } },
    "gap: 1 event is missing between seq 11 and 30: no longer retained",
  ],
  [
    { kind: "gap", gap: { ...gap, from_seq: 0, to_seq: 0, reason: "epoch", dropped: null } },
    "gap: events are missing: the position is from another log",
  ],
  [
    { kind: "lag", lag: { ...lag, state: "paused" } },
    "this reader has fallen behind (800 events wait, 1.5 s behind); the service feeds it at its own speed",
  ],
  [{ kind: "lag", lag: { ...lag, state: "resumed" } }, "this reader has caught up (800 events wait, 1.5 s behind)"],
  [
    { kind: "lag", lag: { ...lag, pending: 1, state: "stalled" } },
    "this reader takes nothing (1 event waits, 1.5 s behind)",
  ],
  [
    { kind: "draining", frame: { type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 750 } },
    "the service is shutting down and asks to come back in 750 ms",
  ],
  [{ kind: "token-expiring", expiresAt: "soon" }, "the token expires at soon"],
  [{ kind: "token-refreshed", expiresAt: "later" }, "the renewed token is in force until later"],
  [{ kind: "unsubscribed", events: ["A", "B*"], clusters: [] }, "the token no longer allows A, B*"],
  [{ kind: "unsubscribed", events: ["A"], clusters: ["c-1", "c-2"] }, "the token no longer allows A in c-1, c-2"],
  [{ kind: "server-error", code: "RATE_LIMITED", message: "slowly" }, "the service says: slowly (RATE_LIMITED)"],
  [
    { kind: "lost", why: "the connection was lost", retryInMs: 700 },
    "http://x: the connection was lost; next attempt in 700 ms",
  ],
];

describe("noticeText", () => {
  it.each(cases)("puts %j in words", (notice, words) => {
    expect(noticeText(notice, "http://x", paintFor(false))).toBe(words);
  });

  it("lets nothing of the peer's steer the terminal", () => {
    const notice: StreamNotice = { kind: "server-error", code: "X", message: "\u001b[2J" };
    expect(noticeText(notice, "http://x", paintFor(false))).toBe("the service says: \\u001b[2J (X)");
  });
});
