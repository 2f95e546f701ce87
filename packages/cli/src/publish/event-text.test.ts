import { describe, expect, it } from "vitest";
import { readEventText } from "./event-text.js";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function parsed(text: string): Record<string, unknown> {
  const event = readEventText(text);
  if (!event.ok) throw new Error(event.problem);
  return JSON.parse(event.json) as Record<string, unknown>;
}

describe("readEventText", () => {
  it("leaves an event that has an id as it stands", () => {
    const text = '{ "payload" : 1.0, "event_id":"a", "event_type":"A" }';
    expect(readEventText(text)).toEqual({ ok: true, json: text });
  });

  it("puts an id in front, and leaves the rest as it stands", () => {
    const event = readEventText(' { "event_type":"A","payload":12345678901234567890}');
    if (!event.ok) throw new Error(event.problem);
    expect(event.json).toMatch(/^\{"event_id":"[0-9a-f-]{36}", "event_type":"A","payload":12345678901234567890\}$/);
  });

  it("replaces an id that is null", () => {
    expect(parsed('{"event_type":"A","event_id":null,"payload":1}')).toEqual({
      event_type: "A",
      payload: 1,
      event_id: expect.stringMatching(uuid) as unknown,
    });
  });

  it("gives each event an id of its own", () => {
    const text = '{"event_type":"A","payload":1}';
    expect(parsed(text)["event_id"]).not.toBe(parsed(text)["event_id"]);
  });

  it.each([
    ['{"payload":1}', "event_type", "is required"],
    ['{"event_type":"A"}', "payload", "is required; send null for none"],
    ['{"event_type":"A","payload":1,"timestamp":"now"}', "timestamp", "RFC 3339"],
    ['{"event_type":"A","payload":1e999}', "payload", "outside the range"],
    ["[1]", undefined, "must be a JSON object"],
    ["{", undefined, "is not JSON"],
    ["\u001b[2J", undefined, "is not JSON"],
  ])("refuses %s, naming %s", (text, field, problem) => {
    expect(readEventText(text)).toEqual({ ok: false, field, problem: expect.stringContaining(problem) as unknown });
  });

  it("repeats little of a line that is no JSON, and nothing that steers a terminal", () => {
    const event = readEventText(`{"a":\u001b${"x".repeat(1_000)}`);
    if (event.ok) throw new Error("was taken");
    expect(event.problem.length).toBeLessThan(140);
    expect(event.problem).not.toContain("\u001b");
  });
});
