import { describe, expect, it } from "vitest";
import type { Claims } from "./claims.js";
import { mayPublish, mayReceive, maySubscribe } from "./rights.js";
import { mappingFault, rightsFromClaims, type MappingEntry } from "./rights-from-claims.js";

const rules = (mapping: readonly MappingEntry[] = [], groupsClaim = "groups", rolesClaim = "roles") => ({
  groupsClaim,
  rolesClaim,
  mapping,
});

describe("rightsFromClaims without a mapping", () => {
  const all = { events: null, clusters: null, publish: false, admin: false };
  const cases: [what: string, claims: Claims, rights: object | undefined][] = [
    ["no claims: subscribe to everything, publish nothing", {}, all],
    ["events", { events: ["GPU_*", "A"] }, { ...all, events: ["GPU_*", "A"] }],
    ["clusters", { clusters: ["c-1"] }, { ...all, clusters: ["c-1"] }],
    ["an empty list is nothing", { events: [] }, { ...all, events: [] }],
    ["publish", { scope: "events:publish" }, { ...all, publish: true }],
    ["admin", { scope: "openid admin" }, { ...all, admin: true }],
    ["both, oddly spaced", { scope: "  events:publish  admin " }, { ...all, publish: true, admin: true }],
    ["scopes that contain ours", { scope: "events:publish:not admins xadmin EVENTS:PUBLISH" }, all],
    ["no scope", { scope: "" }, all],
    ["scp as a list", { scp: ["events:publish", "admin"] }, { ...all, publish: true, admin: true }],
    ["scp as a string", { scp: "admin" }, { ...all, admin: true }],
    ["scope wins over scp", { scope: "", scp: ["admin"] }, all],
    ["scope as a list", { scope: ["admin"] }, { ...all, admin: true }],
    ["scope as a number", { scope: 1 }, undefined],
    ["scope null", { scope: null }, undefined],
    ["scope null, scp there", { scope: null, scp: "admin" }, undefined],
    ["scp with a non-string", { scp: ["admin", 1] }, undefined],
    ["events as a string", { events: "GPU_*" }, undefined],
    ["events null", { events: null }, undefined],
    ["events as an object", { events: { 0: "A", length: 1 } }, undefined],
    ["events with a non-string", { events: ["A", 7] }, undefined],
    ["events with a star inside", { events: ["A*B"] }, undefined],
    ["events with two stars", { events: ["**"] }, undefined],
    ["events with an empty name", { events: [""] }, undefined],
    ["events with a blank", { events: ["A B"] }, undefined],
    ["events with a name of 128", { events: ["A".repeat(128)] }, { ...all, events: ["A".repeat(128)] }],
    ["events with a name of 129", { events: ["A".repeat(129)] }, undefined],
    ["clusters malformed, events not", { events: ["A"], clusters: true }, undefined],
    ["groups malformed, but not asked for", { groups: 5 }, all],
    ["a prototype's members are no claims", Object.create({ events: ["A"], scope: "admin" }) as Claims, all],
    ["a claim called __proto__", JSON.parse('{"__proto__":{"scope":"admin"}}') as Claims, all],
  ];
  it.each(cases)("%s", (_what, claims, rights) => expect(rightsFromClaims(claims, rules())).toEqual(rights));
});

describe("rightsFromClaims with a mapping", () => {
  const mapping: MappingEntry[] = [
    { group: "gpu", events: ["GPU_*"], clusters: ["c-1"] },
    { group: "alerts", events: ["ALERT_*"], clusters: ["c-2"], scope: "events:publish" },
    { role: "operator", scope: "admin" },
    { role: "publisher", scope: "events:publish" },
    { group: "eu", role: "reader", clusters: ["eu-*"] },
  ];
  const of = (claims: Claims, given = rules(mapping)) => rightsFromClaims(claims, given);
  const nothing = { events: [], clusters: [], publish: false, admin: false };

  it("gives a token that matches nothing, nothing", () => {
    expect(of({})).toEqual(nothing);
    expect(of({ groups: ["others"], roles: [] })).toEqual(nothing);
    expect(of({ scope: "events:publish" })).toEqual(nothing);
  });

  it("gives a member what the entry says", () => {
    expect(of({ groups: ["gpu"] })).toEqual({ events: ["GPU_*"], clusters: ["c-1"], publish: false, admin: false });
    expect(of({ groups: "gpu" })).toEqual({ events: ["GPU_*"], clusters: ["c-1"], publish: false, admin: false });
  });

  it("gives a member of two groups both, each for itself", () => {
    const both = of({ groups: ["gpu", "alerts"] });
    expect(both).toBeDefined();
    if (both === undefined) return;
    expect(maySubscribe(both, "GPU_*", ["c-1"])).toBe(true);
    expect(maySubscribe(both, "ALERT_*", ["c-2"])).toBe(true);
    expect(mayReceive(both, "GPU_UPDATE", "c-2")).toBe(false);
    expect(mayPublish(both, "ALERT_FIRED", "c-2")).toBe(true);
    expect(mayPublish(both, "GPU_UPDATE", "c-1")).toBe(false);
  });

  it("adds the scope of an entry without events to what there is otherwise", () => {
    expect(of({ roles: ["operator"] })).toEqual({ ...nothing, admin: true });
    expect(of({ roles: ["publisher"] })).toEqual(nothing);
    expect(of({ roles: ["publisher"], groups: ["gpu"] })).toMatchObject({ events: ["GPU_*"], publish: true });
  });

  it("lets the token's own scope count for its groups", () => {
    expect(of({ scope: "events:publish admin", groups: ["gpu"] })).toMatchObject({
      events: ["GPU_*"],
      publish: true,
      admin: true,
    });
  });

  it("needs both where an entry has a group and a role", () => {
    expect(of({ groups: ["eu"] })).toEqual(nothing);
    expect(of({ roles: ["reader"] })).toEqual(nothing);
    expect(of({ groups: ["eu"], roles: ["reader"] })).toMatchObject({ events: null, clusters: ["eu-*"] });
  });

  it("adds the token's own claims to its groups'", () => {
    const rights = of({ events: ["X"], groups: ["gpu"] });
    expect(rights).toMatchObject({
      events: ["X"],
      clusters: null,
      alternatives: [{ events: ["GPU_*"], clusters: ["c-1"] }],
    });
  });

  it("refuses malformed groups and roles", () => {
    for (const bad of [5, null, { gpu: true }, ["gpu", 1]]) {
      expect(of({ groups: bad })).toBeUndefined();
      expect(of({ roles: bad })).toBeUndefined();
    }
  });

  it("finds groups at a path, or under a name with dots", () => {
    const nested = rules([{ role: "r", events: ["A"] }], "https://example.com/groups", "realm_access.roles");
    expect(of({ realm_access: { roles: ["r"] } }, nested)).toMatchObject({ events: ["A"] });
    expect(of({ "realm_access.roles": ["r"] }, nested)).toMatchObject({ events: ["A"] });
    expect(of({ realm_access: "r" }, nested)).toEqual(nothing);
    expect(of({ realm_access: ["r"] }, nested)).toEqual(nothing);
    const byUrl = rules([{ group: "g", events: ["A"] }], "https://example.com/groups");
    expect(of({ "https://example.com/groups": ["g"] }, byUrl)).toMatchObject({ events: ["A"] });
  });

  it("never matches an entry without group and role", () => {
    expect(of({}, rules([{ events: ["*"] }]))).toEqual(nothing);
  });
});

describe("mappingFault", () => {
  it("names the entry", () => {
    expect(mappingFault([{ group: "g", events: ["A*"] }])).toBeUndefined();
    expect(mappingFault([{ group: "g" }, { events: ["A"] }])).toBe("mapping[1] needs a group or a role");
    expect(mappingFault([{ group: "", events: ["A"] }])).toBe("mapping[0] needs a group or a role");
    expect(mappingFault([{ role: "r", clusters: ["a*b"] }])).toBe('mapping[0] has "a*b", which is no name or pattern');
  });
});
