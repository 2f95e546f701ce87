import { describe, expect, it } from "vitest";
import { allRights } from "@sluice/runtime";
import { parsePublishBody } from "./parse-publish-body.js";

const limits = { payload_bytes: 262_144, publish_body_bytes: 16_777_216, publish_batch_events: 10_000 };

const clock = { now: () => 0, wall: () => Date.UTC(2026, 0, 31) };

function bodyOf(count: number): Buffer {
  return Buffer.from(JSON.stringify(Array.from({ length: count }, (_, payload) => ({ event_type: "A", payload }))));
}

describe("parsePublishBody", () => {
  it.each<[string, string, string, string]>([
    ["small events", "application/x-ndjson", `${JSON.stringify({ event_type: "A", payload: "x".repeat(92) })}\n`, ""],
    [
      "an array of them",
      "application/json",
      `${JSON.stringify({ event_type: "A", payload: "x".repeat(92) })},`,
      "null]",
    ],
    ["blank lines", "application/x-ndjson", "\n".repeat(64), "1"],
    ["white space", "application/json", " ".repeat(64), "1"],
  ])("gives way to others eight times while it reads 1 MiB of %s", async (_, contentType, piece, end) => {
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    const body = Buffer.from(`${end.endsWith("]") ? "[" : ""}${piece.repeat(Math.ceil(2 ** 20 / piece.length))}${end}`);
    setImmediate(count);
    await parsePublishBody({ contentType, headers: {}, body }, { limits, rights: allRights, clock });
    isDone = true;
    expect(turns).toBeGreaterThanOrEqual(7);
    expect(turns).toBeLessThanOrEqual(9);
  });

  it.each([
    ["depth", `{"event_type":"A","payload":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, "invalid-event"],
    ["size", `{"event_type":"A","payload":[${"[],".repeat(140_000)}1]}`, "event-too-large"],
  ])("does not decode a text for its %s", async (_, text, name) => {
    const request = { contentType: "application/json", headers: {}, body: Buffer.from(text) };
    const parsed = await parsePublishBody(request, { limits, rights: allRights, clock });
    expect(parsed).toMatchObject({ ok: false, problem: { name, index: 0 } });
  });

  it("dates the events of a body alike, and keeps their order", async () => {
    const request = { contentType: "application/json", headers: {}, body: bodyOf(100) };
    const parsed = await parsePublishBody(request, { limits, rights: allRights, clock });
    const wire = (parsed.ok ? parsed.drafts : []).map(
      ({ fields }) => JSON.parse(`{${fields.toString()}}`) as { timestamp: string; payload: number },
    );
    expect(wire.map(({ payload }) => payload)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(new Set(wire.map(({ timestamp }) => timestamp))).toEqual(new Set(["2026-01-31T00:00:00.000Z"]));
  });
});
