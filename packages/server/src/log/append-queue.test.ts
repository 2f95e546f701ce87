import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AppendQueue, pendingBytes, type PendingAppend } from "./append-queue.js";
import { draftsOf } from "./contract/log-under-test.js";
import { PackedEvent } from "./packed-event.js";

const appendOf = (events: number, bytes: number): PendingAppend => ({
  drafts: draftsOf(0, events).map((draft) => PackedEvent.of(draft)),
  bytes,
  resolve: () => undefined,
  reject: () => undefined,
});

describe("AppendQueue", () => {
  it("takes in up to its bytes, and one append of any size when it is empty", () => {
    const queue = new AppendQueue(100);
    expect(queue.push(appendOf(1, 99))).toBe(true);
    expect(queue.push(appendOf(1, 2))).toBe(false);
    expect(queue.push(appendOf(1, 1))).toBe(true);
    expect(queue.push(appendOf(1, 1))).toBe(false);
    expect(queue.take(10, 1000)).toHaveLength(2);
    expect(queue.push(appendOf(1, 101))).toBe(true);
    expect(queue.push(appendOf(1, 0))).toBe(false);
  });

  it("takes out whole appends within both bounds, one at least", () => {
    const queue = new AppendQueue(1000);
    for (const events of [3, 3, 4, 1]) queue.push(appendOf(events, 10));
    expect(queue.take(9, 1000).map((append) => append.drafts.length)).toEqual([3, 3]);
    expect(queue.take(1, 1000).map((append) => append.drafts.length)).toEqual([4]);
    expect(queue.take(9, 1).map((append) => append.drafts.length)).toEqual([1]);
    expect(queue.take(9, 1)).toEqual([]);
    expect(queue.length).toBe(0);
  });

  it("gives everything back in order and keeps its count of bytes, whatever comes", () => {
    const push = fc.record({ events: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 50 }) });
    const take = fc.record({ eventsMax: fc.nat(8), bytesMax: fc.nat(80) });
    fc.assert(
      fc.property(fc.array(fc.oneof(push, take)), (steps) => {
        const queue = new AppendQueue(100);
        const model: PendingAppend[] = [];
        for (const step of steps) {
          if ("events" in step) {
            const append = appendOf(step.events, step.bytes);
            const waiting = model.reduce((sum, { bytes }) => sum + bytes, 0);
            const fits = model.length === 0 || waiting + step.bytes <= 100;
            expect(queue.push(append)).toBe(fits);
            if (fits) model.push(append);
          } else {
            const taken = queue.take(step.eventsMax, step.bytesMax);
            expect(taken).toEqual(model.splice(0, taken.length));
            expect(taken.length > 0 || model.length === 0).toBe(true);
          }
          expect(queue.length).toBe(model.length);
        }
      }),
    );
  });

  it("weighs an append by its fields and somewhat for each event", () => {
    const [one] = draftsOf(1, 1, { fields: Buffer.alloc(1000) });
    expect(pendingBytes([])).toBe(0);
    expect(pendingBytes(one === undefined ? [] : [one, one])).toBe(2 * (1000 + 256));
  });
});
