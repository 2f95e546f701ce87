import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventBatch, EventBatcher, halveBatch } from "./event-batch.js";

function batches(texts: readonly string[], limits: { events: number; bytes: number }): EventBatch[] {
  const batcher = new EventBatcher(limits);
  const all = texts.map((text, index) => batcher.add(text, index + 1));
  return [...all, batcher.take()].filter((batch) => batch !== undefined);
}

const textsOf = (list: readonly EventBatch[]): (readonly string[])[] => list.map(({ texts }) => texts);

describe("EventBatcher", () => {
  it("closes a batch at its number of events", () => {
    expect(textsOf(batches(["a", "b", "c", "d", "e"], { events: 2, bytes: 100 }))).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["e"],
    ]);
    expect(textsOf(batches(["a", "b"], { events: 2, bytes: 100 }))).toEqual([["a", "b"]]);
  });

  it("closes a batch before it would pass its bytes, line ends counted", () => {
    expect(textsOf(batches(["aaa", "bbb"], { events: 9, bytes: 8 }))).toEqual([["aaa", "bbb"]]);
    expect(textsOf(batches(["aaa", "bbb"], { events: 9, bytes: 7 }))).toEqual([["aaa"], ["bbb"]]);
    expect(textsOf(batches(["ü", "ü"], { events: 9, bytes: 5 }))).toEqual([["ü"], ["ü"]]);
  });

  it("sends an event that is larger than a batch by itself", () => {
    expect(textsOf(batches(["a", "x".repeat(50), "b"], { events: 9, bytes: 8 }))).toEqual([
      ["a"],
      ["x".repeat(50)],
      ["b"],
    ]);
  });

  it("keeps every event, its line and the order", () => {
    const texts = fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 60 }), (all, events, bytes) => {
        const made = batches(all, { events, bytes });
        expect(made.flatMap((batch) => batch.texts)).toEqual(all);
        expect(made.flatMap((batch) => batch.lines)).toEqual(all.map((_, index) => index + 1));
        for (const { texts: some } of made) {
          expect(some.length).toBeLessThanOrEqual(events);
          if (some.length > 1) expect(Buffer.byteLength(`${some.join("\n")}\n`)).toBeLessThanOrEqual(bytes);
        }
      }),
    );
  });
});

describe("halveBatch", () => {
  it("halves in order, down to one", () => {
    expect(halveBatch({ texts: ["a", "b", "c"], lines: [1, 3, 4] })).toEqual([
      { texts: ["a", "b"], lines: [1, 3] },
      { texts: ["c"], lines: [4] },
    ]);
    expect(halveBatch({ texts: ["a"], lines: [1] })).toBeUndefined();
  });
});
