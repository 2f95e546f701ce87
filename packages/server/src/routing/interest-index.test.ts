import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClusterFilter } from "./cluster-filter.js";
import { InterestIndex } from "./interest-index.js";
import { SubscriptionSet } from "./subscription-set.js";

const eventTypes = ["A", "AB", "ABC", "B", "C"];
const clusterIds = ["1", "12", "123", "2", undefined];

function setOf(interests: readonly (readonly [string, readonly string[] | null])[]): SubscriptionSet {
  return SubscriptionSet.empty.with(
    interests.map(([pattern, clusters]) => ({
      pattern,
      clusters: clusters === null ? null : new ClusterFilter(clusters),
    })),
  );
}

function found(index: InterestIndex<number>, eventType: string, clusterId: string | undefined): number[] {
  const targets = new Set<number>();
  index.forEachMatch(eventType, clusterId, (target) => targets.add(target));
  return [...targets].toSorted((a, b) => a - b);
}

describe("InterestIndex", () => {
  it("finds names, prefixes and everything, in a cluster, under a prefix of clusters and in all", () => {
    const index = new InterestIndex<number>();
    index.add(setOf([["GPU_UPDATE", null]]), 1);
    index.add(setOf([["GPU_*", ["c-1"]]]), 2);
    index.add(setOf([["*", ["c-*"]]]), 3);
    expect(found(index, "GPU_UPDATE", "c-1")).toEqual([1, 2, 3]);
    expect(found(index, "GPU_UPDATE", undefined)).toEqual([1]);
    expect(found(index, "GPU_", "c-1")).toEqual([2, 3]);
    expect(found(index, "ALERT", "c-9")).toEqual([3]);
    expect(found(index, "ALERT", "d")).toEqual([]);
  });

  it("visits a target once for each of its subscriptions that match", () => {
    const index = new InterestIndex<number>();
    const visits: number[] = [];
    index.add(
      setOf([
        ["A", null],
        ["A*", ["1", "1*"]],
      ]),
      7,
    );
    index.forEachMatch("A", "1", (target) => visits.push(target));
    expect(visits).toEqual([7, 7, 7]);
  });

  it("bears the deletion of what it never held", () => {
    const index = new InterestIndex<number>();
    index.add(setOf([["A", ["1"]]]), 1);
    index.delete(
      setOf([
        ["B*", null],
        ["A", ["2"]],
        ["A", null],
      ]),
      1,
    );
    index.delete(setOf([["A", ["2", "1*"]]]), 1);
    expect(found(index, "A", "1")).toEqual([1]);
  });

  it("finds what a scan of all sets finds, as sets come and go, and is empty when all have gone", () => {
    const patterns = [...eventTypes, ...eventTypes.map((name) => `${name}*`), "*"];
    const clusters = fc.option(fc.uniqueArray(fc.constantFrom("1", "12", "1*", "12*", "2", "*"), { maxLength: 3 }));
    const interests = fc.uniqueArray(fc.tuple(fc.constantFrom(...patterns), clusters), {
      maxLength: 4,
      selector: ([pattern]) => pattern,
    });
    const change = fc.record({ target: fc.nat({ max: 5 }), interests: fc.option(interests) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        const index = new InterestIndex<number>();
        const held = new Map<number, SubscriptionSet>();
        const put = (target: number, set: SubscriptionSet | undefined): void => {
          const before = held.get(target);
          if (before !== undefined) index.delete(before, target);
          held.delete(target);
          if (set === undefined) return;
          index.add(set, target);
          held.set(target, set);
        };
        const compare = (): void => {
          for (const eventType of eventTypes) {
            for (const clusterId of clusterIds) {
              const scanned = [...held]
                .filter(([, set]) => set.matches(eventType, clusterId))
                .map(([target]) => target);
              expect(found(index, eventType, clusterId)).toEqual(scanned.toSorted((a, b) => a - b));
            }
          }
        };
        for (const { target, interests: wanted } of changes) {
          put(target, wanted === null ? undefined : setOf(wanted));
          compare();
        }
        for (const target of held.keys()) put(target, undefined);
        compare();
      }),
      { numRuns: 100 },
    );
  });
});
