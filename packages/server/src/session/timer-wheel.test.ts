import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel } from "./timer-wheel.js";

const slotMs = 10;
const slots = 8;

interface Item {
  readonly atMs: number;
  readonly name: string | number;
}

const at = (atMs: number, name: string | number): Item => ({ atMs, name });
const newWheel = (nowMs = 0): TimerWheel<Item> => new TimerWheel<Item>({ slotMs, slots, nowMs });
const namesOf = (items: readonly Item[]): (string | number)[] => items.map(({ name }) => name);

describe("TimerWheel", () => {
  it("gives an item when its time has come, not a slot before", () => {
    const wheel = newWheel();
    wheel.add(at(35, "a"));
    expect(namesOf(wheel.take(34))).toEqual([]);
    expect(namesOf(wheel.take(35))).toEqual(["a"]);
    expect(namesOf(wheel.take(1000))).toEqual([]);
  });

  it("gives what is due in the order of its times", () => {
    const wheel = newWheel();
    wheel.add(at(15, "third"));
    wheel.add(at(12, "second"));
    wheel.add(at(3, "first"));
    expect(namesOf(wheel.take(20))).toEqual(["first", "second", "third"]);
  });

  it("takes a time that has passed for now", () => {
    const wheel = newWheel(1000);
    wheel.take(1000);
    wheel.add(at(5, "late"));
    expect(namesOf(wheel.take(1000))).toEqual(["late"]);
  });

  it.each([slotMs * slots - 1, slotMs * slots, slotMs * slots + 1, slotMs * slots * 3 + 5])(
    "lets an item %s ms ahead go round until its turn",
    (atMs) => {
      const wheel = newWheel();
      wheel.add(at(atMs, "far"));
      for (let now = 0; now < atMs; now += 7) expect(namesOf(wheel.take(now))).toEqual([]);
      expect(namesOf(wheel.take(atMs))).toEqual(["far"]);
    },
  );

  it("gives everything once after a standstill of many turns", () => {
    const wheel = newWheel();
    for (let n = 0; n < 100; n += 1) wheel.add(at(n * 7, n));
    expect(namesOf(wheel.take(1_000_000))).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(wheel.size).toBe(0);
  });

  it("counts what waits", () => {
    const wheel = newWheel();
    wheel.add(at(1, "a"));
    wheel.add(at(100, "b"));
    expect(wheel.size).toBe(2);
    wheel.take(50);
    expect(wheel.size).toBe(1);
  });

  it("agrees with a sorted list, whatever is added and whenever it is asked", () => {
    const step = fc.record({ aheadMs: fc.integer({ min: 0, max: 500 }), passMs: fc.integer({ min: 0, max: 200 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const wheel = newWheel();
        let list: { atMs: number; id: number }[] = [];
        let now = 0;
        for (const [id, { aheadMs, passMs }] of steps.entries()) {
          wheel.add(at(now + aheadMs, id));
          list.push({ atMs: now + aheadMs, id });
          now += passMs;
          const due = list.filter(({ atMs }) => atMs <= now).map((entry) => entry.id);
          list = list.filter(({ atMs }) => atMs > now);
          expect(
            namesOf(wheel.take(now))
              .map(Number)
              .sort((a, b) => a - b),
          ).toEqual(due.sort((a, b) => a - b));
        }
        expect(wheel.size).toBe(list.length);
      }),
    );
  });
});
