import { allRights, type Rights } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { grantSubscriptions } from "./access.js";

const none = { publish: false, admin: false };
const gpuInLab: Rights = { events: ["GPU_*"], clusters: ["c-1", "lab-*"], ...none };

/** Each pattern with its clusters, or the pattern that is too wide. */
function grant(rights: Rights, patterns: readonly string[], clusters: readonly string[] = []): unknown {
  const outcome = grantSubscriptions(rights, patterns, clusters);
  if (!outcome.ok) return outcome.pattern;
  return outcome.subscriptions.map(({ pattern, clusters: filter }) => [pattern, filter?.patterns ?? null]);
}

describe("grantSubscriptions", () => {
  it("gives whoever may see everything what was asked for", () => {
    expect(grant(allRights, ["*", "A"])).toEqual([
      ["*", null],
      ["A", null],
    ]);
    expect(grant(allRights, ["A"], ["c-2", "c-1"])).toEqual([["A", ["c-1", "c-2"]]]);
  });

  it("takes no clusters for all that may be seen", () => {
    expect(grant(gpuInLab, ["GPU_A"])).toEqual([["GPU_A", ["c-1", "lab-*"]]]);
    expect(grant({ ...allRights, clusters: ["*"] }, ["A"])).toEqual([["A", null]]);
  });

  it("gives the same clusters that were asked for, where they are within the rights", () => {
    expect(grant(gpuInLab, ["GPU_A", "GPU_*"], ["lab-7"])).toEqual([
      ["GPU_A", ["lab-7"]],
      ["GPU_*", ["lab-7"]],
    ]);
  });

  it("names the first pattern that is too wide, and gives none then", () => {
    expect(grant(gpuInLab, ["GPU_A", "ALERT", "*"])).toBe("ALERT");
    expect(grant(gpuInLab, ["GPU_A"], ["c-1", "c-2"])).toBe("GPU_A");
    expect(grant({ ...gpuInLab, clusters: [] }, ["GPU_A"])).toBe("GPU_A");
  });

  it("keeps the grants of several mappings apart", () => {
    const rights: Rights = { ...gpuInLab, alternatives: [{ events: ["ALERT"], clusters: ["c-9"], publish: false }] };
    expect(grant(rights, ["GPU_A", "ALERT"])).toEqual([
      ["GPU_A", ["c-1", "lab-*"]],
      ["ALERT", ["c-9"]],
    ]);
    expect(grant(rights, ["GPU_A"], ["c-9"])).toBe("GPU_A");
  });
});
