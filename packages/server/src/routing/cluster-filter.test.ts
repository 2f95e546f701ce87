import { describe, expect, it } from "vitest";
import { ClusterFilter } from "./cluster-filter.js";

describe("ClusterFilter", () => {
  it("has its names and what begins with its prefixes, and no event without a cluster", () => {
    const filter = new ClusterFilter(["c-1", "eu-*"]);
    const asked = ["c-1", "c-11", "c-", "eu-", "eu-7", "eu", "EU-7", "", undefined];
    expect(asked.filter((cluster) => filter.has(cluster))).toEqual(["c-1", "eu-", "eu-7"]);
  });

  it("has every cluster under `*`, and still no event without one", () => {
    const filter = new ClusterFilter(["*"]);
    expect(["c-1", "*", undefined].map((cluster) => filter.has(cluster))).toEqual([true, true, false]);
  });

  it("has nothing when it is empty", () => {
    expect(new ClusterFilter([]).has("c-1")).toBe(false);
  });

  it("keeps each pattern once, sorted, whatever the order in which they came", () => {
    expect(new ClusterFilter(["b", "a*", "b", "a"]).patterns).toEqual(["a", "a*", "b"]);
  });
});
