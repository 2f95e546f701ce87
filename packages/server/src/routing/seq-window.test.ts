import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeqWindow } from "./seq-window.js";

describe("SeqWindow", () => {
  it("begins empty at ordinal 0", () => {
    const window = new SeqWindow();
    expect([window.start, window.end]).toEqual([0, 0]);
    expect(() => window.at(0)).toThrow(RangeError);
  });

  it("refuses ordinals before its start and from its end on", () => {
    const window = new SeqWindow();
    window.restartAt(5);
    for (const seq of [10, 20, 30]) window.push(seq);
    window.trimTo(2);
    expect(() => window.at(5)).toThrow("ordinal 5 is not in the window");
    expect([window.at(6), window.at(7)]).toEqual([20, 30]);
    expect(() => window.at(8)).toThrow("ordinal 8 is not in the window");
  });

  it("keeps its newest when trimmed, none of them at 0, all of them at what it has or more", () => {
    for (const [count, start] of [
      [0, 3],
      [2, 1],
      [3, 0],
      [4, 0],
    ] as const) {
      const window = new SeqWindow();
      for (const seq of [10, 20, 30]) window.push(seq);
      window.trimTo(count);
      expect([window.start, window.end]).toEqual([start, 3]);
    }
  });

  it("is a list of which the beginning is forgotten, whatever is done to it", () => {
    const operation = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("push"), count: fc.integer({ min: 1, max: 150 }) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("trim"), count: fc.nat({ max: 200 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart"), count: fc.nat({ max: 50 }) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
        const window = new SeqWindow();
        let held = new Map<number, number>();
        let end = 0;
        let seq = 0;
        for (const { kind, count } of operations) {
          if (kind === "push") {
            for (let n = 0; n < count; n += 1) {
              seq += 1 + (n % 3);
              window.push(seq);
              held.set(end, seq);
              end += 1;
            }
          } else if (kind === "trim") {
            window.trimTo(count);
            held = new Map([...held].slice(-count || held.size));
          } else {
            end += count;
            window.restartAt(end);
            held.clear();
          }
          expect(window.end).toBe(end);
          expect(window.start).toBe(end - held.size);
          expect([...held.keys()].map((ordinal) => window.at(ordinal))).toEqual([...held.values()]);
        }
      }),
    );
  });
});
