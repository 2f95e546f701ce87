import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import { SharedEvent } from "../routing/shared-event.js";
import { Tail } from "./tail.js";

/** What an event without fields costs. */
const overheadBytes = 800;

function eventOf(seq: number, fieldBytes = 0): SharedEvent {
  return new SharedEvent({ ...draftOf(seq, { fields: Buffer.alloc(fieldBytes) }), seq, appendedAtMs: 0 }, 0);
}

describe("Tail", () => {
  it("has the newest events, by seq", () => {
    const tail = new Tail(10_000);
    const events = [3, 7, 8].map((seq) => eventOf(seq));
    for (const event of events) tail.push(event);
    expect([3, 7, 8].map((seq) => tail.get(seq))).toEqual(events);
    expect([1, 4, 9].map((seq) => tail.get(seq))).toEqual([undefined, undefined, undefined]);
    expect(new Tail(1).get(1)).toBeUndefined();
  });

  it("counts an event twice, as stored and as encoded, and holds as many as fit", () => {
    const costOf = (fieldBytes: number): number => 2 * fieldBytes + overheadBytes;
    for (const [bound, held] of [
      [2 * costOf(100) - 1, 1],
      [2 * costOf(100), 2],
      [2 * costOf(100) + 1, 2],
    ] as const) {
      const tail = new Tail(bound);
      tail.push(eventOf(1, 100));
      tail.push(eventOf(2, 100));
      expect(tail.bytes).toBe(held * costOf(100));
      expect(tail.get(1) === undefined, `of ${bound} bytes`).toBe(held === 1);
    }
  });

  it("keeps nothing of an event that alone is over the bound", () => {
    const tail = new Tail(1000);
    tail.push(eventOf(1));
    tail.push(eventOf(2, 1000));
    expect([tail.bytes, tail.get(1), tail.get(2)]).toEqual([0, undefined, undefined]);
  });

  it("is the end of a list, whatever the sizes", () => {
    const size = fc.nat({ max: 2000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), size), { maxLength: 60 }),
        fc.nat({ max: 20_000 }),
        (pushes, bound) => {
          const tail = new Tail(bound);
          const model: SharedEvent[] = [];
          let seq = 0;
          let bytes = 0;
          for (const [step, fieldBytes] of pushes) {
            seq += step;
            const event = eventOf(seq, fieldBytes);
            tail.push(event);
            model.push(event);
            bytes += 2 * fieldBytes + overheadBytes;
            while (bytes > bound) bytes -= 2 * (model.shift() as SharedEvent).record.fields.length + overheadBytes;
            expect(tail.bytes).toBe(bytes);
            for (let at = 1; at <= seq; at += 1) expect(tail.get(at)).toBe(model.find((one) => one.seq === at));
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("gives slots back over thousands of evictions", () => {
    const tail = new Tail(10 * overheadBytes);
    for (let seq = 1; seq <= 5000; seq += 1) {
      tail.push(eventOf(seq));
      expect(tail.get(seq)?.seq).toBe(seq);
      if (seq > 10) expect([tail.get(seq - 9)?.seq, tail.get(seq - 10)]).toEqual([seq - 9, undefined]);
    }
  });

  it("lets go of an event when it evicts it, not when it gives its slot back", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const tail = new Tail(overheadBytes);
    const evicted = (() => {
      const event = eventOf(1);
      tail.push(event);
      tail.push(eventOf(2));
      return new WeakRef(event);
    })();
    // A WeakRef holds its target until the turn in which it was made is over.
    for (let turn = 0; turn < 50 && evicted.deref() !== undefined; turn += 1) {
      await new Promise(setImmediate);
      collect();
    }
    expect(evicted.deref()).toBeUndefined();
    expect(tail.get(2)?.seq).toBe(2);
  });
});
