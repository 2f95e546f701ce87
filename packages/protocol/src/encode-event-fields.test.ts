import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventFields } from "./encode-event-fields.js";
import { parsePublishedEvent } from "./published-event.js";

const rules = { payloadBytesMax: 262_144, receivedAt: "2026-01-31T12:00:00.000Z" };

function publish(value: unknown): string {
  const parsed = parsePublishedEvent(value, rules);
  if (!parsed.ok) throw new Error(`${parsed.field} ${parsed.problem}`);
  return encodeEventFields(parsed.event);
}

const names = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,128}$/);
const texts = (maxLength: number) =>
  fc
    .string({ unit: "binary", minLength: 1, maxLength })
    .filter((text) => text.length <= maxLength && !/\p{Cc}/u.test(text));
// What JSON text can hold: fast-check's -0 has no JSON, and lone surrogates are wanted in strings and keys.
const payloads = fc
  .jsonValue({ stringUnit: "binary", maxDepth: 6 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const surrogates = fc.constantFrom("\ud800", "a\udfff", "\udc00\ud800");

describe("encodeEventFields", () => {
  it("writes the members in the order of the protocol", () => {
    const given = {
      subject: "s",
      source: "o",
      payload: [1],
      timestamp: "2026-01-31T12:00:00Z",
      event_id: "e",
      event_type: "T",
      cluster_id: "c",
    };
    expect(publish(given)).toBe(
      '"event_id":"e","event_type":"T","cluster_id":"c","timestamp":"2026-01-31T12:00:00.000Z","source":"o","subject":"s","payload":[1]',
    );
  });

  it("leaves out what the publisher left out", () => {
    expect(publish({ event_id: "e", event_type: "T", payload: null })).toBe(
      '"event_id":"e","event_type":"T","timestamp":"2026-01-31T12:00:00.000Z","payload":null',
    );
  });

  it("brings out of the wire's JSON what went in, in well-formed UTF-8", () => {
    const events = fc.record(
      {
        event_type: names,
        cluster_id: names,
        event_id: texts(256),
        source: texts(1024),
        subject: texts(1024),
        payload: fc.oneof(payloads, surrogates, fc.dictionary(surrogates, payloads)),
      },
      { requiredKeys: ["event_type", "event_id", "payload"] },
    );
    fc.assert(
      fc.property(events, (given) => {
        const bytes = new TextEncoder().encode(`{"type":"event","seq":1,${publish(given)}}`);
        const wire: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
        expect(wire).toEqual({ type: "event", seq: 1, timestamp: rules.receivedAt, ...given });
      }),
    );
  });
});
