import { isPattern, patternMatches } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  allRights,
  mayPublish,
  mayPublishAnything,
  mayReceive,
  maySubscribe,
  visibleClusters,
  type Grant,
  type Rights,
} from "./rights.js";

function rights(
  events: readonly string[] | null,
  clusters: readonly string[] | null,
  more: Partial<Rights> = {},
): Rights {
  return { events, clusters, publish: false, admin: false, ...more };
}

describe("maySubscribe", () => {
  const cases: [what: string, rights: Rights, pattern: string, clusters: string[] | null, allowed: boolean][] = [
    ["everything with all rights", allRights, "*", null, true],
    ["a name that is named", rights(["A"], null), "A", null, true],
    ["a name that is not", rights(["A"], null), "B", null, false],
    ["a longer name", rights(["A"], null), "AB", null, false],
    ["the name as a prefix", rights(["A"], null), "A*", null, false],
    ["a name under a prefix", rights(["GPU_*"], null), "GPU_UPDATE", null, true],
    ["the prefix itself", rights(["GPU_*"], null), "GPU_*", null, true],
    ["a longer prefix", rights(["GPU_*"], null), "GPU_T*", null, true],
    ["a shorter prefix", rights(["GPU_*"], null), "GPU*", null, false],
    ["all, with a prefix only", rights(["GPU_*"], null), "*", null, false],
    ["all, with a list that has it", rights(["A", "*"], null), "*", null, true],
    ["nothing, with no events", rights([], null), "A", null, false],
    ["a prototype name", rights(["A"], null), "__proto__", null, false],
    ["a cluster that is named", rights(null, ["c-1"]), "A", ["c-1"], true],
    ["clusters of which one is not named", rights(null, ["c-1"]), "A", ["c-1", "c-2"], false],
    ["a cluster under a prefix", rights(null, ["eu-*"]), "A", ["eu-1"], true],
    ["a cluster pattern within", rights(null, ["eu-*"]), "A", ["eu-w*"], true],
    ["all clusters spelled out", rights(null, ["eu-*"]), "A", ["*"], false],
    ["no clusters named: all that may be seen", rights(null, ["c-1"]), "A", null, true],
    ["an empty list is no list", rights(null, ["c-1"]), "A", [], true],
    ["no cluster allowed at all", rights(null, []), "A", null, false],
    ["no cluster allowed at all, empty list", rights(null, []), "A", [], false],
  ];
  it.each(cases)("%s", (_what, given, pattern, clusters, allowed) => {
    expect(maySubscribe(given, pattern, clusters)).toBe(allowed);
  });
});

describe("alternatives", () => {
  const two = rights(["GPU_*"], ["c-1"], {
    alternatives: [
      { events: ["ALERT_*", "GPU_T*"], clusters: ["c-2"], publish: true },
      { events: ["X"], clusters: null, publish: false },
    ],
  });

  it("are allowed each for itself", () => {
    expect(maySubscribe(two, "GPU_UPDATE", ["c-1"])).toBe(true);
    expect(maySubscribe(two, "ALERT_*", ["c-2"])).toBe(true);
    expect(maySubscribe(two, "GPU_TEMP", ["c-1", "c-2"])).toBe(true);
    expect(maySubscribe(two, "X", null)).toBe(true);
  });

  it("are not multiplied with each other", () => {
    expect(maySubscribe(two, "GPU_UPDATE", ["c-2"])).toBe(false);
    expect(maySubscribe(two, "ALERT_*", ["c-1"])).toBe(false);
    expect(mayReceive(two, "GPU_UPDATE", "c-2")).toBe(false);
    expect(mayPublish(two, "GPU_UPDATE", "c-1")).toBe(false);
    expect(mayPublish(two, "GPU_TEMP", "c-1")).toBe(false);
    expect(mayPublish(two, "GPU_TEMP", "c-2")).toBe(true);
  });

  it("tell the clusters that a pattern may be seen in", () => {
    expect(visibleClusters(two, "GPU_*")).toEqual(["c-1"]);
    expect(visibleClusters(two, "GPU_TEMP")).toEqual(["c-1", "c-2"]);
    expect(visibleClusters(two, "X")).toBeNull();
    expect(visibleClusters(two, "Y")).toEqual([]);
    expect(visibleClusters(rights(null, ["*"]), "X")).toBeNull();
  });
});

describe("mayPublish and mayReceive", () => {
  it("leave events without a cluster to those who see all clusters", () => {
    expect(mayReceive(rights(null, ["c-1"]), "A", undefined)).toBe(false);
    expect(mayReceive(rights(null, ["c-1", "*"]), "A", undefined)).toBe(true);
    expect(mayReceive(rights(null, null), "A", undefined)).toBe(true);
    const publisher = { publish: true };
    expect(mayPublish(rights(null, ["c-1"], publisher), "A", undefined)).toBe(false);
    expect(mayPublish(rights(null, ["c-*"], publisher), "A", undefined)).toBe(false);
    expect(mayPublish(rights(null, ["*"], publisher), "A", undefined)).toBe(true);
    expect(mayPublish(rights(null, null, publisher), "A", undefined)).toBe(true);
  });

  it("publish only with the scope, and only what may be seen", () => {
    expect(mayPublish(rights(null, null), "A", "c-1")).toBe(false);
    const some = rights(["A"], ["c-1"], { publish: true });
    expect(mayPublish(some, "A", "c-1")).toBe(true);
    expect(mayPublish(some, "B", "c-1")).toBe(false);
    expect(mayPublish(some, "A", "c-2")).toBe(false);
    expect(mayPublishAnything(some)).toBe(true);
    expect(mayPublishAnything(rights(null, null, { admin: true }))).toBe(false);
    expect(mayPublishAnything({ ...some, publish: false, alternatives: [some] })).toBe(true);
  });
});

describe("properties", () => {
  // A small alphabet, so that names, prefixes and patterns meet often.
  const name = fc.stringMatching(/^[AB_]{1,4}$/);
  const pattern = fc
    .oneof(
      name,
      name.map((text) => `${text}*`),
      fc.constant("*"),
    )
    .filter(isPattern);
  const patterns = fc.option(fc.array(pattern, { maxLength: 3 }), { nil: null });
  const grant: fc.Arbitrary<Grant> = fc.record({ events: patterns, clusters: patterns, publish: fc.boolean() });
  const anyRights: fc.Arbitrary<Rights> = fc
    .tuple(grant, fc.array(grant, { maxLength: 2 }))
    .map(([first, alternatives]) => ({ ...first, admin: false, alternatives }));
  const runs = { numRuns: 1_000 };

  /** By the letter of protocol §9, one grant at a time. */
  function oracle(given: Rights, type: string, cluster: string | undefined, publish: boolean): boolean {
    return [given, ...(given.alternatives ?? [])].some((one) => {
      const eventAllowed = one.events === null || one.events.some((allowed) => patternMatches(allowed, type));
      const everywhere = one.clusters === null || one.clusters.includes("*");
      const here = cluster !== undefined && one.clusters?.some((allowed) => patternMatches(allowed, cluster));
      return eventAllowed && (everywhere || here === true) && (one.publish || !publish);
    });
  }

  it("receiving and publishing are what the grants say", () => {
    fc.assert(
      fc.property(anyRights, name, fc.option(name, { nil: undefined }), (given, type, cluster) => {
        expect(mayReceive(given, type, cluster)).toBe(oracle(given, type, cluster, false));
        expect(mayPublish(given, type, cluster)).toBe(oracle(given, type, cluster, true));
      }),
      runs,
    );
  });

  it("an allowed subscription with clusters delivers nothing that is not allowed", () => {
    fc.assert(
      fc.property(
        anyRights,
        pattern,
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        name,
        name,
        (given, wanted, clusters, type, cluster) => {
          fc.pre(maySubscribe(given, wanted, clusters));
          fc.pre(patternMatches(wanted, type) && clusters.some((one) => patternMatches(one, cluster)));
          expect(oracle(given, type, cluster, false)).toBe(true);
        },
      ),
      { ...runs, maxSkipsPerRun: 1_000 },
    );
  });

  it("one without clusters, read as the visible ones, delivers nothing that is not allowed", () => {
    fc.assert(
      fc.property(anyRights, pattern, name, fc.option(name, { nil: undefined }), (given, wanted, type, cluster) => {
        fc.pre(maySubscribe(given, wanted, null) && patternMatches(wanted, type));
        const visible = visibleClusters(given, wanted);
        if (visible !== null) fc.pre(cluster !== undefined && visible.some((one) => patternMatches(one, cluster)));
        expect(oracle(given, type, cluster, false)).toBe(true);
      }),
      { ...runs, maxSkipsPerRun: 1_000 },
    );
  });

  it("a subscription is refused exactly when nothing of it would be visible", () => {
    fc.assert(
      fc.property(anyRights, pattern, (given, wanted) => {
        expect(maySubscribe(given, wanted, null)).toBe(visibleClusters(given, wanted)?.length !== 0);
      }),
      runs,
    );
  });
});
