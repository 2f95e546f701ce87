import { allRights, type Rights } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { Interests, type Loss } from "./interests.js";

function rightsTo(events: readonly string[] | null, clusters: readonly string[] | null): Rights {
  return { events, clusters, publish: false, admin: false };
}

function review(interests: Interests, rights: Rights): { kept: unknown; losses: readonly Loss[] } {
  const { subscriptions, losses } = interests.review(rights);
  return { kept: subscriptions.map(({ pattern, clusters }) => [pattern, clusters?.patterns ?? null]), losses };
}

describe("Interests", () => {
  it("keeps all that new rights still allow", () => {
    const interests = new Interests();
    interests.set(["A", "B*"], ["c-1"]);
    expect(review(interests, allRights)).toEqual({
      kept: [
        ["A", ["c-1"]],
        ["B*", ["c-1"]],
      ],
      losses: [],
    });
  });

  it("loses a subscription whose event is no longer allowed, and has forgotten it then", () => {
    const interests = new Interests();
    interests.set(["A", "B"], []);
    expect(review(interests, rightsTo(["B"], null))).toEqual({
      kept: [["B", null]],
      losses: [{ pattern: "A", clusters: [] }],
    });
    expect(review(interests, allRights)).toEqual({ kept: [["B", null]], losses: [] });
  });

  it("loses just the clusters that are no longer allowed", () => {
    const interests = new Interests();
    interests.set(["A"], ["c-1", "c-2", "c-3"]);
    expect(review(interests, rightsTo(null, ["c-2"]))).toEqual({
      kept: [["A", ["c-2"]]],
      losses: [{ pattern: "A", clusters: ["c-1", "c-3"] }],
    });
    expect(review(interests, allRights).kept).toEqual([["A", ["c-2"]]]);
  });

  it("loses the whole subscription with the last of its clusters", () => {
    const interests = new Interests();
    interests.set(["A"], ["c-1", "c-2"]);
    expect(review(interests, rightsTo(null, ["c-3"]))).toEqual({
      kept: [],
      losses: [{ pattern: "A", clusters: [] }],
    });
  });

  it("lets 'all that I may see' follow the rights both ways", () => {
    const interests = new Interests();
    interests.set(["A"], []);
    expect(review(interests, rightsTo(null, ["c-1"]))).toEqual({ kept: [["A", ["c-1"]]], losses: [] });
    expect(review(interests, rightsTo(null, ["c-2"]))).toEqual({ kept: [["A", ["c-2"]]], losses: [] });
    expect(review(interests, allRights)).toEqual({ kept: [["A", null]], losses: [] });
  });

  it("knows nothing of what was deleted or replaced", () => {
    const interests = new Interests();
    interests.set(["A", "B"], ["c-1"]);
    interests.set(["A"], ["c-2"]);
    interests.delete(["B", "NEVER"]);
    expect(review(interests, allRights).kept).toEqual([["A", ["c-2"]]]);
  });
});
