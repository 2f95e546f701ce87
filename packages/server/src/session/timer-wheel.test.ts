import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel } from "./timer-wheel.js";

const slotMs = 10;
const slots = 8;

describe("TimerWheel", () => {
  it("gives an item when its time has come, not a slot before", () => {
    const wheel = new TimerWheel<string>({ slotMs, slots, nowMs: 0 });
    wheel.add(35, "a");
    expect(wheel.take(34)).toEqual([]);
    expect(wheel.take(35)).toEqual(["a"]);
    expect(wheel.take(1000)).toEqual([]);
  });

  it("gives what is due in the order of its times", () => {
    const wheel = new TimerWheel<string>({ slotMs, slots, nowMs: 0 });
    wheel.add(15, "third");
    wheel.add(12, "second");
    wheel.add(3, "first");
    expect(wheel.take(20)).toEqual(["first", "second", "third"]);
  });

  it("takes a time that has passed for now", () => {
    const wheel = new TimerWheel<string>({ slotMs, slots, nowMs: 1000 });
    wheel.take(1000);
    wheel.add(5, "late");
    expect(wheel.take(1000)).toEqual(["late"]);
  });

  it.each([slotMs * slots - 1, slotMs * slots, slotMs * slots + 1, slotMs * slots * 3 + 5])(
    "lets an item %s ms ahead go round until its turn",
    (atMs) => {
      const wheel = new TimerWheel<string>({ slotMs, slots, nowMs: 0 });
      wheel.add(atMs, "far");
      for (let now = 0; now < atMs; now += 7) expect(wheel.take(now)).toEqual([]);
      expect(wheel.take(atMs)).toEqual(["far"]);
    },
  );

  it("gives everything once after a standstill of many turns", () => {
    const wheel = new TimerWheel<number>({ slotMs, slots, nowMs: 0 });
    for (let n = 0; n < 100; n += 1) wheel.add(n * 7, n);
    expect(wheel.take(1_000_000)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(wheel.size).toBe(0);
  });

  it("counts what waits", () => {
    const wheel = new TimerWheel<string>({ slotMs, slots, nowMs: 0 });
    wheel.add(1, "a");
    wheel.add(100, "b");
    expect(wheel.size).toBe(2);
    wheel.take(50);
    expect(wheel.size).toBe(1);
  });

  it("agrees with a sorted list, whatever is added and whenever it is asked", () => {
    const step = fc.record({ aheadMs: fc.integer({ min: 0, max: 500 }), passMs: fc.integer({ min: 0, max: 200 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wheel = new TimerWheel<number>({ slotMs, slots, nowMs: 0 });
        let list: { atMs: number; id: number }[] = [];
        let now = 0;
        for (const [id, { aheadMs, passMs }] of steps.entries()) {
          wheel.add(now + aheadMs, id);
          list.push({ atMs: now + aheadMs, id });
          now += passMs;
          const due = list.filter(({ atMs }) => atMs <= now).map((entry) => entry.id);
          list = list.filter(({ atMs }) => atMs > now);
          expect([...wheel.take(now)].sort((a, b) => a - b)).toEqual(due.sort((a, b) => a - b));
        }
        expect(wheel.size).toBe(list.length);
      }),
    );
  });
});
