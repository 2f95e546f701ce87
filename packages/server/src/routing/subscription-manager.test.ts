import { describe, expect, it } from "vitest";
import { ClusterFilter } from "./cluster-filter.js";
import type { Lane, LaneMember } from "./lane.js";
import { createSseEncoding } from "./sse-encoding.js";
import { indexEntriesPerConnectionMax, SubscriptionManager } from "./subscription-manager.js";
import { SubscriptionSet, type Subscription } from "./subscription-set.js";
import { websocketEncoding } from "./websocket-encoding.js";

const manager = (maxPerConnection = 100): SubscriptionManager<LaneMember> =>
  new SubscriptionManager<LaneMember>({ maxPerConnection });

const named = (count: number, clusters: ClusterFilter | null = null, from = 0): Subscription[] =>
  Array.from({ length: count }, (_, index) => ({ pattern: `E${from + index}`, clusters }));

const clustersOf = (count: number): ClusterFilter =>
  new ClusterFilter(Array.from({ length: count }, (_, index) => `c-${index}`));

const found = (subject: SubscriptionManager<LaneMember>, eventType: string): Lane<LaneMember>[] => {
  const lanes: Lane<LaneMember>[] = [];
  subject.forEachLane(eventType, undefined, (lane) => lanes.push(lane));
  return lanes;
};

describe("plan", () => {
  it.each([
    [99, "subscribed"],
    [100, "subscribed"],
    [101, "limit"],
  ])("answers %i subscriptions of 100 with %s", (count, kind) => {
    expect(manager().plan(SubscriptionSet.empty, named(count)).kind).toBe(kind);
  });

  it("counts what is held, and a pattern that is held costs nothing", () => {
    const held = SubscriptionSet.empty.with(named(100));
    expect(manager().plan(held, named(1, null, 100))).toEqual({ kind: "limit", limit: "subscriptions", max: 100 });
    const replaced = manager().plan(held, named(100, clustersOf(1)));
    expect(replaced).toMatchObject({ kind: "subscribed", set: { size: 100, entries: 100 } });
  });

  it.each([
    [indexEntriesPerConnectionMax - 1, "subscribed"],
    [indexEntriesPerConnectionMax, "subscribed"],
    [indexEntriesPerConnectionMax + 1, "limit"],
  ])("answers %i entries of the index with %s", (entries, kind) => {
    const planned = manager().plan(SubscriptionSet.empty, [
      { pattern: "A", clusters: clustersOf(entries - 1) },
      { pattern: "B", clusters: null },
    ]);
    expect(planned.kind).toBe(kind);
    if (planned.kind === "limit")
      expect(planned).toMatchObject({ limit: "entries", max: indexEntriesPerConnectionMax });
  });
});

describe("counts", () => {
  it("follow a connection from set to set, and forget a pattern that nobody has", () => {
    const subject = manager();
    const [a, ab] = [SubscriptionSet.empty.with(named(1)), SubscriptionSet.empty.with(named(2))];
    subject.count(SubscriptionSet.empty, ab);
    subject.count(SubscriptionSet.empty, a);
    expect([...subject.counts]).toEqual([
      ["E0", 2],
      ["E1", 1],
    ]);
    subject.count(ab, a);
    subject.count(a, SubscriptionSet.empty);
    expect([...subject.counts]).toEqual([["E0", 1]]);
  });
});

describe("lanes", () => {
  const set = SubscriptionSet.empty.with(named(1));

  it("are shared by equal sets of one encoding", () => {
    const subject = manager();
    const lane = subject.laneFor(set, websocketEncoding);
    expect(subject.laneFor(SubscriptionSet.empty.with(named(1)), websocketEncoding)).toBe(lane);
    expect(subject.laneFor(set, createSseEncoding("epoch"))).not.toBe(lane);
    expect(subject.laneFor(SubscriptionSet.empty.with(named(1, clustersOf(1))), websocketEncoding)).not.toBe(lane);
    expect(subject.laneFor(SubscriptionSet.empty, websocketEncoding)).toBeUndefined();
    expect(subject.lanes.size).toBe(3);
  });

  it("are found by what they want until their last member has left", () => {
    const subject = manager();
    const lane = subject.laneFor(set, websocketEncoding) as Lane<LaneMember>;
    const member = { laneSlot: -1, laneCursor: 0 };
    lane.addLevel(member);
    subject.release(lane);
    expect(found(subject, "E0")).toEqual([lane]);
    lane.remove(member);
    subject.release(lane);
    expect([found(subject, "E0"), subject.lanes.size]).toEqual([[], 0]);
  });

  it("outlive a second release of their predecessor", () => {
    const subject = manager();
    const first = subject.laneFor(set, websocketEncoding) as Lane<LaneMember>;
    subject.release(first);
    const second = subject.laneFor(set, websocketEncoding) as Lane<LaneMember>;
    subject.release(first);
    expect(found(subject, "E0")).toEqual([second]);
  });
});
