import { describe, expect, it } from "vitest";
import type { SluiceEvent } from "@sluice/client";
import { paintFor } from "../terminal/paint.js";
import { EventLine } from "./event-line.js";

const event: SluiceEvent = {
  type: "event",
  seq: 7,
  event_id: "a",
  event_type: "GPU_UPDATE",
  cluster_id: "c-1",
  timestamp: "2026-01-31T12:34:56.789Z",
  payload: { x: 1, text: "a b" },
};
const plain = (columns?: number): EventLine => new EventLine({ paint: paintFor(false), columns });
/** The local time is whoever's runs the test. */
const afterTime = (line: string): string => line.replace(/^\d\d:\d\d:56\.789 {2}/, "");

describe("EventLine", () => {
  it("puts an event on one line in columns", () => {
    expect(afterTime(plain().format(event))).toBe('    7  c-1    GPU_UPDATE    {"x":1,"text":"a b"}');
  });

  it("shows a subject before the payload, and - for no cluster", () => {
    const { cluster_id: _, ...global } = event;
    expect(afterTime(plain().format({ ...global, subject: "cpu" }))).toBe(
      '    7  -      GPU_UPDATE    cpu {"x":1,"text":"a b"}',
    );
  });

  it("keeps columns level as wider values come", () => {
    const line = plain();
    const wide = line.format({ ...event, seq: 1_234_567, cluster_id: "cluster-11", event_type: "SOMETHING_LONGER" });
    const narrow = line.format(event);
    expect(narrow.indexOf("{")).toBe(wide.indexOf("{"));
  });

  it("does not widen all columns for one very long name", () => {
    const line = plain();
    line.format({ ...event, event_type: "A".repeat(128) });
    expect(afterTime(line.format(event))).toBe('    7  c-1    GPU_UPDATE    {"x":1,"text":"a b"}');
  });

  it("cuts the payload at the edge of the terminal", () => {
    const long = { ...event, payload: "x".repeat(500) };
    expect(plain(80).format(long)).toHaveLength(80);
    expect(plain(80).format(long).endsWith("…")).toBe(true);
    expect(plain(10).format(long)).toHaveLength(42 + 20);
    expect(plain().format(long)).toHaveLength(42 + 502);
  });

  it("lets nothing of an event steer the terminal", () => {
    const hostile = { ...event, subject: "\u202e", timestamp: "\u001b[2J", payload: "\u009b2J" };
    expect(plain().format(hostile)).toMatch(/^\\u001b\[2J.*\\u202e "\\u009b2J"$/);
  });

  it("gives the same type the same colour", () => {
    const line = new EventLine({ paint: paintFor(true), columns: undefined });
    const colourOf = (text: string): string | undefined => /\u001b\[(\d+)mGPU_UPDATE/.exec(text)?.[1];
    expect(colourOf(line.format(event))).toBeDefined();
    expect(colourOf(line.format(event))).toBe(colourOf(line.format({ ...event, seq: 8 })));
  });
});
