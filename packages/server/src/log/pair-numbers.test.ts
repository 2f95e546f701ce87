import { expect, it } from "vitest";
import { PairNumbers } from "./pair-numbers.js";

it("numbers each pair once, and no cluster is one of its own", () => {
  const pairs = new PairNumbers();
  const come: readonly (readonly [string, string | undefined])[] = [
    ["A", "c"],
    ["A", "c"],
    ["A", undefined],
    ["A", ""],
    ["c", "A"],
    ["__proto__", "c"],
    ["A", "c"],
    ["A", undefined],
  ];
  expect(come.map(([type, cluster]) => pairs.numberOf(type, cluster))).toEqual([0, 0, 1, 2, 3, 4, 0, 1]);
  expect(pairs.all.map(({ eventType, clusterId }) => [eventType, clusterId])).toEqual([
    ["A", "c"],
    ["A", undefined],
    ["A", ""],
    ["c", "A"],
    ["__proto__", "c"],
  ]);
});
