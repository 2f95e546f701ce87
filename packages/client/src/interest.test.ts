import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changeInterest, type Interest, mergeInterests, wants, type WireInterest } from "./interest.js";

const pattern = fc.constantFrom("A", "B", "A_1", "A*", "*");
const cluster = fc.constantFrom("c-1", "c-2", "c-3");
const interest: fc.Arbitrary<Interest> = fc.record({
  events: fc.uniqueArray(pattern, { minLength: 1 }),
  clusters: fc.uniqueArray(cluster),
});
const event = fc.record(
  { event_type: fc.constantFrom("A", "B", "A_1", "C"), cluster_id: cluster },
  { requiredKeys: ["event_type"] },
);

function isWantedOnWire(
  wire: WireInterest,
  { event_type, cluster_id }: { event_type: string; cluster_id?: string },
): boolean {
  return [...wire].some(([name, clusters]) =>
    wants({ events: [name], clusters }, { event_type, ...(cluster_id === undefined ? {} : { cluster_id }) }),
  );
}

describe("mergeInterests", () => {
  it("asks for whatever anybody wants", () => {
    fc.assert(
      fc.property(fc.array(interest), event, (interests, event) => {
        if (!interests.some((one) => wants(one, event))) return;
        expect(isWantedOnWire(mergeInterests(interests), event)).toBe(true);
      }),
    );
  });

  it("asks for nothing more than each pattern with all of its clusters", () => {
    const merged = mergeInterests([
      { events: ["A"], clusters: ["c-2"] },
      { events: ["A", "B"], clusters: ["c-1"] },
      { events: ["B"], clusters: [] },
    ]);
    expect([...merged]).toEqual([
      ["A", ["c-1", "c-2"]],
      ["B", []],
    ]);
  });
});

describe("changeInterest", () => {
  it("leads from any interest to any other", () => {
    fc.assert(
      fc.property(fc.array(interest), fc.array(interest), (before, after) => {
        const now = mergeInterests(before);
        const wanted = mergeInterests(after);
        const { subscribe, unsubscribe } = changeInterest(now, wanted);
        const result = new Map(now);
        for (const { events, clusters } of subscribe) for (const name of events) result.set(name, clusters);
        for (const name of unsubscribe) result.delete(name);
        expect(Object.fromEntries(result)).toEqual(Object.fromEntries(wanted));
      }),
    );
  });

  it("says nothing where nothing changes, and puts up to 100 patterns in one command", () => {
    const names = Array.from({ length: 101 }, (_, index) => `E${index}`);
    const wanted = mergeInterests([{ events: names, clusters: [] }]);
    expect(changeInterest(wanted, wanted)).toEqual({ subscribe: [], unsubscribe: [] });
    expect(changeInterest(new Map(), wanted).subscribe.map(({ events }) => events.length)).toEqual([100, 1]);
  });
});
