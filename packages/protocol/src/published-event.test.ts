import { describe, expect, it } from "vitest";
import { parsePublishedEvent } from "./published-event.js";

const rules = { payloadBytesMax: 100, receivedAt: "2026-01-31T12:00:00.000Z" };
const name = "must be 1 to 128 of A-Z a-z 0-9 _ . : -";
const text = (max: number) =>
  `must be a string of 1 to ${max} characters, without control characters or lone surrogates`;
const time = "must be an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const base = { event_type: "GPU_UPDATE", payload: { a: 1 } };

describe("parsePublishedEvent", () => {
  it("fills in what the publisher left out", () => {
    const parsed = parsePublishedEvent(base, rules);
    expect(parsed).toEqual({
      ok: true,
      event: {
        eventId: expect.stringMatching(uuid) as unknown,
        eventType: "GPU_UPDATE",
        clusterId: undefined,
        timestamp: rules.receivedAt,
        source: undefined,
        subject: undefined,
        payloadText: '{"a":1}',
      },
    });
  });

  it("takes null for absent in every optional field", () => {
    const nulls = { cluster_id: null, event_id: null, timestamp: null, source: null, subject: null };
    const parsed = parsePublishedEvent({ ...base, ...nulls, payload: null }, rules);
    expect(parsed).toMatchObject({
      ok: true,
      event: { clusterId: undefined, timestamp: rules.receivedAt, source: undefined, payloadText: "null" },
    });
  });

  it("keeps what the publisher gave and ignores fields it does not know", () => {
    const given = {
      ...base,
      cluster_id: "c-1",
      event_id: "e".repeat(256),
      timestamp: "2026-01-31T13:00:00+01:00",
      source: "s".repeat(1024),
      subject: "ünï 😀",
      seq: 7,
      type: "event",
    };
    expect(parsePublishedEvent(given, rules)).toEqual({
      ok: true,
      event: {
        eventId: given.event_id,
        eventType: "GPU_UPDATE",
        clusterId: "c-1",
        timestamp: "2026-01-31T12:00:00.000Z",
        source: given.source,
        subject: given.subject,
        payloadText: '{"a":1}',
      },
    });
  });

  it("is not misled by prototype keys", () => {
    const parsed = parsePublishedEvent(JSON.parse('{"__proto__":{"event_type":"A","payload":1}}'), rules);
    expect(parsed).toMatchObject({ ok: false, field: "payload" });
  });

  it.each([
    [null, undefined, "must be a JSON object"],
    [[base], undefined, "must be a JSON object"],
    ["GPU_UPDATE", undefined, "must be a JSON object"],
    [7, undefined, "must be a JSON object"],
    [undefined, undefined, "must be a JSON object"],
    [{ event_type: "A" }, "payload", "is required; send null for none"],
    [{ event_type: "A", paylaod: 1 }, "payload", "is required; send null for none"],
    [{ payload: 1 }, "event_type", "is required"],
    [{ ...base, event_type: null }, "event_type", "is required"],
    [{ ...base, event_type: "" }, "event_type", name],
    [{ ...base, event_type: 1 }, "event_type", name],
    [{ ...base, event_type: "GPU_*" }, "event_type", name],
    [{ ...base, event_type: "*" }, "event_type", name],
    [{ ...base, event_type: "a b" }, "event_type", name],
    [{ ...base, event_type: "A\n" }, "event_type", name],
    [{ ...base, event_type: 'A","x":"' }, "event_type", name],
    [{ ...base, event_type: "A".repeat(129) }, "event_type", name],
    [{ ...base, cluster_id: "" }, "cluster_id", name],
    [{ ...base, cluster_id: 1 }, "cluster_id", name],
    [{ ...base, cluster_id: "c*" }, "cluster_id", name],
    [{ ...base, event_id: "" }, "event_id", text(256)],
    [{ ...base, event_id: 1 }, "event_id", text(256)],
    [{ ...base, event_id: "e".repeat(257) }, "event_id", text(256)],
    [{ ...base, event_id: "a\u0000" }, "event_id", text(256)],
    [{ ...base, event_id: "a\u0085" }, "event_id", text(256)],
    [{ ...base, event_id: "a\ud800" }, "event_id", text(256)],
    [{ ...base, timestamp: "yesterday" }, "timestamp", time],
    [{ ...base, timestamp: 1769860800000 }, "timestamp", time],
    [{ ...base, source: "" }, "source", text(1024)],
    [{ ...base, source: {} }, "source", text(1024)],
    [{ ...base, source: "s".repeat(1025) }, "source", text(1024)],
    [{ ...base, subject: false }, "subject", text(1024)],
    [{ ...base, subject: "a\rb" }, "subject", text(1024)],
    [
      { ...base, payload: { a: Infinity } },
      "payload",
      "holds a number outside the range of IEEE 754 double (RFC 8259 §6)",
    ],
  ])("refuses %j, naming %s", (value, field, problem) => {
    expect(parsePublishedEvent(value, rules)).toEqual({ ok: false, reason: "invalid-event", field, problem });
  });

  it("says of a payload over the limit that it is too large", () => {
    expect(parsePublishedEvent({ ...base, payload: "a".repeat(98) }, rules)).toMatchObject({ ok: true });
    expect(parsePublishedEvent({ ...base, payload: "a".repeat(99) }, rules)).toEqual({
      ok: false,
      reason: "payload-too-large",
      field: "payload",
      problem: "must be at most 100 bytes of JSON",
    });
  });
});
