import { describe, expect, it } from "vitest";
import { encodeEvent } from "./encoding.js";
import { createSseEncoding, formatCursor, parseCursor } from "./sse-encoding.js";

const encoding = createSseEncoding("epoch-1");

describe("createSseEncoding", () => {
  it("carries the event's JSON as data, and its cursor as id", () => {
    const fields = Buffer.from('"event_id":"größe ✓","payload":1');
    const record = { seq: 42, fields, eventId: "e", eventType: "A", clusterId: undefined, appendedAtMs: 0 };
    const bytes = encodeEvent(encoding, record);
    expect(bytes.toString()).toBe(`id: epoch-1:42\ndata: {"type":"event","seq":42,${fields.toString()}}\n\n`);
    expect(encoding.eventBytes(record)).toBe(bytes.length);
  });

  it("names our other frames, and gives them no id", () => {
    const gap = { type: "gap", reason: "overflow", from_seq: 1, to_seq: 2, dropped: 2 } as const;
    expect(encoding.encodeFrame(gap).toString()).toBe(`event: gap\ndata: ${JSON.stringify(gap)}\n\n`);
  });

  it("makes a heartbeat a comment that moves the cursor on", () => {
    const ping = { type: "ping", timestamp: "2026-01-31T12:00:00.000Z", seq: 50 } as const;
    expect(encoding.encodeFrame(ping).toString()).toBe(": ping 2026-01-31T12:00:00.000Z\nid: epoch-1:50\n\n");
  });
});

describe("cursors", () => {
  it("are read back as they were written", () => {
    expect(parseCursor(formatCursor("epoch-1", 0))).toEqual({ epoch: "epoch-1", seq: 0 });
    expect(parseCursor(formatCursor("e".repeat(128), 2 ** 53 - 1))).toEqual({
      epoch: "e".repeat(128),
      seq: 2 ** 53 - 1,
    });
  });

  it.each([
    "",
    "7",
    ":7",
    "epoch:",
    "epoch:x",
    "epoch:-1",
    "a:b:7",
    `${"e".repeat(129)}:7`,
    `epoch:${2 ** 53}`,
    "epoch:1e3",
  ])("are not %j", (text) => {
    expect(parseCursor(text)).toBeUndefined();
  });
});
