import { patternMatches } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClusterFilter } from "./cluster-filter.js";
import { SubscriptionSet, type Subscription } from "./subscription-set.js";

function subscriptionOf(pattern: string, clusters: readonly string[] | null = null): Subscription {
  return { pattern, clusters: clusters === null ? null : new ClusterFilter(clusters) };
}

function setOf(...subscriptions: readonly Subscription[]): SubscriptionSet {
  return SubscriptionSet.empty.with(subscriptions);
}

describe("SubscriptionSet", () => {
  it("holds one subscription per pattern; a later one replaces its clusters", () => {
    const set = setOf(subscriptionOf("A"), subscriptionOf("B", ["c-1"]), subscriptionOf("A", ["c-2"]));
    expect([...set].map(({ pattern, clusters }) => [pattern, clusters?.patterns])).toEqual([
      ["A", ["c-2"]],
      ["B", ["c-1"]],
    ]);
    expect([set.size, set.get("B")?.pattern, set.get("C")]).toEqual([2, "B", undefined]);
  });

  it("is never changed", () => {
    const set = setOf(subscriptionOf("A"));
    set.with([subscriptionOf("B")]);
    set.without(["A"]);
    expect([...set].map(({ pattern }) => pattern)).toEqual(["A"]);
  });

  it("takes patterns out, and ignores those it has not; without any it is the empty set", () => {
    const set = setOf(subscriptionOf("A"), subscriptionOf("B"));
    expect([...set.without(["A", "Z"])].map(({ pattern }) => pattern)).toEqual(["B"]);
    expect(set.without(["A", "B"])).toBe(SubscriptionSet.empty);
    expect(SubscriptionSet.empty.matches("A", undefined)).toBe(false);
  });

  it("counts an entry for each cluster of a pattern, and at least one for a pattern", () => {
    expect(SubscriptionSet.empty.entries).toBe(0);
    expect(setOf(subscriptionOf("A")).entries).toBe(1);
    expect(setOf(subscriptionOf("A", [])).entries).toBe(1);
    expect(setOf(subscriptionOf("A", ["1", "2", "3"]), subscriptionOf("B")).entries).toBe(4);
  });

  it("matches an event without a cluster only where all clusters are wanted", () => {
    const set = setOf(subscriptionOf("A"), subscriptionOf("B", ["*"]));
    expect([set.matches("A", undefined), set.matches("B", undefined), set.matches("B", "c-1")]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("has equal keys for equal contents and only for those", () => {
    const pattern = fc.constantFrom("A", "B", "A*", "*", "A.B", "A:B");
    const clusters = fc.option(fc.array(fc.constantFrom("1", "2", "12", "1*"), { maxLength: 3 }));
    const contents = fc.uniqueArray(fc.tuple(pattern, clusters), { maxLength: 4, selector: ([first]) => first });
    const canonical = (list: readonly (readonly [string, readonly string[] | null])[]): string =>
      JSON.stringify(
        list
          .map(([first, second]) => `${first} ${second === null ? "all" : JSON.stringify([...new Set(second)].sort())}`)
          .sort(),
      );
    fc.assert(
      fc.property(contents, contents, fc.boolean(), (one, another, isReversed) => {
        const other = isReversed ? one.toReversed() : another;
        const keys = [one, other].map(
          (list) => setOf(...list.map(([first, second]) => subscriptionOf(first, second))).key,
        );
        expect(keys[0] === keys[1]).toBe(canonical(one) === canonical(other));
      }),
    );
  });

  it("matches what any of its subscriptions matches", () => {
    const name = fc.constantFrom("A", "AB", "ABC", "B");
    const pattern = fc.oneof(
      name,
      name.map((prefix) => `${prefix}*`),
      fc.constant("*"),
    );
    const clusters = fc.option(fc.array(fc.constantFrom("1", "12", "1*", "2"), { maxLength: 2 }));
    const cluster = fc.option(fc.constantFrom("1", "12", "2"), { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(pattern, clusters), { maxLength: 4 }),
        name,
        cluster,
        (list, eventType, clusterId) => {
          const set = setOf(...list.map(([first, second]) => subscriptionOf(first, second)));
          const naive = [...set].some(({ pattern: wanted, clusters: from }) => {
            const isFrom =
              from === null || from.patterns.some((one) => clusterId !== undefined && patternMatches(one, clusterId));
            return patternMatches(wanted, eventType) && isFrom;
          });
          expect(set.matches(eventType, clusterId)).toBe(naive);
        },
      ),
    );
  });
});
