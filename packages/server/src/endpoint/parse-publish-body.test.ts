import { describe, expect, it } from "vitest";
import { allRights } from "@sluice/runtime";
import { parsePublishBody } from "./parse-publish-body.js";

const limits = { payload_bytes: 262_144, publish_body_bytes: 16_777_216, publish_batch_events: 10_000 };

function bodyOf(count: number): { readonly json: Buffer; readonly ndjson: Buffer } {
  const lines = Array.from({ length: count }, (_, index) => JSON.stringify({ event_type: "A", payload: index }));
  return { json: Buffer.from(`[${lines.join(",")}]`), ndjson: Buffer.from(lines.join("\n")) };
}

describe("parsePublishBody", () => {
  it.each(["json", "ndjson"] as const)("gives way to others while it reads a long %s body", async (form) => {
    // A clock on which every look costs 2 ms: a slice of 5 ms is over at its third look.
    let nowMs = 0;
    const clock = { now: () => (nowMs += 2), wall: () => 0 };
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      if (isDone) return;
      turns += 1;
      setImmediate(count);
    };
    setImmediate(count);
    const contentType = form === "json" ? "application/json" : "application/x-ndjson";
    const request = { contentType, headers: {}, body: bodyOf(32 * 12)[form] };
    const parsed = await parsePublishBody(request, { limits, rights: allRights, clock });
    isDone = true;
    expect(parsed.ok && parsed.drafts.length).toBe(32 * 12);
    expect(turns).toBe(4);
  });

  it("dates the events of a body alike, and keeps their order", async () => {
    const request = { contentType: "application/json", headers: {}, body: bodyOf(100).json };
    const clock = { now: () => 0, wall: () => Date.UTC(2026, 0, 31) };
    const parsed = await parsePublishBody(request, { limits, rights: allRights, clock });
    const wire = (parsed.ok ? parsed.drafts : []).map(
      ({ fields }) => JSON.parse(`{${fields.toString()}}`) as { timestamp: string; payload: number },
    );
    expect(wire.map(({ payload }) => payload)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(new Set(wire.map(({ timestamp }) => timestamp))).toEqual(new Set(["2026-01-31T00:00:00.000Z"]));
  });
});
