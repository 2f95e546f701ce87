import { describe, expect, it } from "vitest";
import { eventOf } from "./testing/fake-socket.js";
import { collect, fakeWorld, goLive } from "./testing/fake-world.js";
import { settled } from "./testing/manual-environment.js";

const lost = 1006;

describe("subscribing", () => {
  it("asks for what all want together, and tells the subscriptions apart", async () => {
    const world = fakeWorld();
    const one = collect(world.sluice.subscribe({ events: ["A"], clusters: ["c-1"] }));
    const two = collect(world.sluice.subscribe({ events: ["A", "B*"], clusters: ["c-2"] }));
    await settled();
    world.socket.greet();
    const sent = world.socket.confirm(10);
    expect(sent).toEqual([
      { type: "subscribe", id: "s1", events: ["A"], clusters: ["c-1", "c-2"] },
      { type: "subscribe", id: "s2", events: ["B*"], clusters: ["c-2"] },
    ]);
    world.socket.receive(eventOf(11, { cluster_id: "c-1" }));
    world.socket.receive(eventOf(12, { cluster_id: "c-2" }));
    world.socket.receive(eventOf(13, { event_type: "B1", cluster_id: "c-2" }));
    await settled();
    expect([one.seen, two.seen]).toEqual([[11], [12, 13]]);
    expect(world.sluice.status).toEqual({ state: "live" });
  });

  it("adds to what is subscribed to, and takes away what nobody wants any more", async () => {
    const world = fakeWorld();
    const first = world.sluice.subscribe({ events: ["A"], clusters: ["c-1"] });
    await settled();
    await goLive(world, 10);
    const second = world.sluice.subscribe({ events: ["A"], clusters: ["c-2"] });
    expect(world.sluice.status.state).toBe("catching-up");
    await settled();
    expect(world.socket.confirm(12)).toMatchObject([{ events: ["A"], clusters: ["c-1", "c-2"] }]);
    expect(world.sluice.status.state).toBe("live");
    first.close();
    expect(world.socket.takeSent()).toMatchObject([{ type: "subscribe", events: ["A"], clusters: ["c-2"] }]);
    second.close();
    expect(world.socket.takeSent()).toEqual([{ type: "unsubscribe", events: ["A"] }]);
  });

  it("joins what the wire already brings, from the past on", async () => {
    const world = fakeWorld();
    const first = collect(world.sluice.subscribe({ events: ["A"] }));
    await settled();
    await goLive(world, 10);
    world.log.add(8, 9, 10, 11, 12);
    world.socket.events(11, 12);
    const second = collect(world.sluice.subscribe({ events: ["A"], since: 8 }));
    await settled();
    world.socket.events(13);
    await settled();
    expect([first.seen, second.seen]).toEqual([
      [11, 12, 13],
      [9, 10, 11, 12, 13],
    ]);
    expect(world.log.requests.map(({ query }) => query)).toEqual([
      { since: "8", until: "12", epoch: "e1", limit: "500", events: "A" },
    ]);
  });

  it("finds out by itself whose subscription is refused", async () => {
    const world = fakeWorld();
    const good = collect(world.sluice.subscribe({ events: ["A"] }));
    const bad = collect(world.sluice.subscribe({ events: ["SECRET"] }));
    await settled();
    world.socket.greet();
    const [both] = world.socket.takeSent();
    world.socket.receive({ type: "error", id: both?.["id"] as string, code: "FORBIDDEN", message: "no" });
    const [a, secret] = world.socket.takeSent();
    expect([a?.["events"], secret?.["events"]]).toEqual([["A"], ["SECRET"]]);
    world.socket.receive({ type: "subscribed", id: a?.["id"] as string, events: ["A"], clusters: [], seq: 1 });
    world.socket.receive({ type: "error", id: secret?.["id"] as string, code: "FORBIDDEN", message: "no" });
    expect(await bad.end).toMatchObject({ code: "FORBIDDEN", message: "no" });
    world.socket.events(2);
    await settled();
    expect(good.seen).toEqual([2]);
    expect(world.sluice.status.state).toBe("live");
  });

  it("asks again a second later when the server had no time", async () => {
    const world = fakeWorld();
    world.sluice.subscribe({ events: ["A"] });
    await settled();
    world.socket.greet();
    const [first] = world.socket.takeSent();
    world.socket.receive({ type: "error", code: "RATE_LIMITED", message: "slow down" });
    await world.environment.advance(1_000);
    expect(world.socket.takeSent()).toEqual([first]);
  });

  it("throws where rights have shrunk, and nowhere else", async () => {
    const world = fakeWorld();
    const whole = collect(world.sluice.subscribe({ events: ["A"] }));
    const part = collect(world.sluice.subscribe({ events: ["B"], clusters: ["c-1"] }));
    const kept = collect(world.sluice.subscribe({ events: ["B"], clusters: ["c-2"] }));
    await settled();
    await goLive(world, 1);
    world.socket.receive({ type: "unsubscribed", events: ["A"], reason: "forbidden" });
    world.socket.receive({ type: "unsubscribed", events: ["B"], clusters: ["c-1"], reason: "forbidden" });
    expect(await whole.end).toMatchObject({ code: "FORBIDDEN" });
    expect(await part.end).toMatchObject({ code: "FORBIDDEN" });
    world.socket.receive(eventOf(2, { event_type: "B", cluster_id: "c-2" }));
    await settled();
    expect(kept.seen).toEqual([2]);
  });

  it("goes on with what is left where rights have shrunk, and says what was taken", async () => {
    const world = fakeWorld();
    const items: unknown[] = [];
    const subscription = world.sluice.subscribe({ events: ["A", "B"], clusters: ["c-1", "c-2"] }, (item) => {
      items.push(item.type === "gap" ? item : item.seq);
    });
    await settled();
    await goLive(world, 1);
    world.socket.receive(eventOf(2, { cluster_id: "c-1" }));
    await settled();
    const taken = { type: "unsubscribed", reason: "forbidden" } as const;
    for (const pattern of ["A", "B"]) world.socket.receive({ ...taken, events: [pattern], clusters: ["c-2"] });
    expect(world.socket.confirm(3)).toMatchObject([
      { type: "subscribe", events: ["A", "B"], clusters: ["c-1"] },
      { type: "subscribe", events: ["B"], clusters: ["c-1"] },
    ]);
    world.socket.receive({ ...taken, events: ["A"] });
    world.socket.receive(eventOf(4, { event_type: "B", cluster_id: "c-1" }));
    await settled();
    const gap = { type: "gap", reason: "forbidden", from_seq: 2, to_seq: 2, dropped: null };
    expect(items).toEqual([
      2,
      { ...gap, events: ["A"], clusters: ["c-2"] },
      { ...gap, events: ["A"], clusters: undefined },
      4,
    ]);
    expect(world.socket.takeSent()).toEqual([]);
    expect(world.sluice.status.state).toBe("live");
    world.socket.receive({ ...taken, events: ["B"] });
    await expect(subscription.finished).rejects.toThrow("the token no longer allows B");
    // A new connection asks for nothing that was taken.
    expect(world.sluice.counters.gaps).toBe(2);
  });

  it("comes back with what was left to it", async () => {
    const world = fakeWorld();
    collect(world.sluice.subscribe({ events: ["A"], clusters: ["c-1", "c-2"] }));
    await settled();
    await goLive(world, 1);
    world.socket.receive({ type: "unsubscribed", reason: "forbidden", events: ["A"], clusters: ["c-2"] });
    world.socket.closeWith(lost);
    await world.environment.advance(1_000);
    world.socket.greet({ seq: 5 });
    expect(world.socket.takeSent()).toMatchObject([{ type: "subscribe", events: ["A"], clusters: ["c-1"], since: 1 }]);
  });
});

describe("coming back", () => {
  it("goes on with since where the stream ended, and hands out nothing twice", async () => {
    const world = fakeWorld();
    const { seen } = collect(world.sluice.subscribe({ events: ["A"] }));
    await settled();
    await goLive(world, 10);
    world.socket.events(11, 12);
    world.socket.receive({ type: "ping", timestamp: "", seq: 15 });
    world.socket.closeWith(lost);
    await world.environment.advance(1_000);
    world.socket.greet({ seq: 20 });
    // Before the subscription is confirmed a ping says nothing about what was asked for.
    world.socket.receive({ type: "ping", timestamp: "", seq: 20 });
    expect(world.socket.takeSent()).toEqual([
      { type: "subscribe", id: "s2", events: ["A"], clusters: [], since: 15, epoch: "e1" },
    ]);
    world.socket.receive({ type: "subscribed", id: "s2", events: ["A"], clusters: [], seq: 20 });
    expect(world.sluice.status.state).toBe("catching-up");
    world.socket.events(12, 16, 20);
    world.socket.receive({ type: "live", id: "s2", seq: 20 });
    world.socket.events(21);
    await settled();
    expect(seen).toEqual([11, 12, 16, 20, 21]);
    expect(world.sluice.status.state).toBe("live");
    expect(world.sluice.counters).toMatchObject({ connections: 2, repeats: 1, pages: 0 });
  });

  it("fetches what lies between where several commands are needed", async () => {
    const world = fakeWorld();
    const one = collect(world.sluice.subscribe({ events: ["A"], clusters: ["c-1"] }));
    const two = collect(world.sluice.subscribe({ events: ["B"], clusters: ["c-2"] }));
    await settled();
    await goLive(world, 10);
    world.socket.receive(eventOf(11, { cluster_id: "c-1" }));
    world.socket.closeWith(lost);
    world.log.events = [
      eventOf(11, { cluster_id: "c-1" }),
      eventOf(12, { cluster_id: "c-1" }),
      eventOf(13, { event_type: "B", cluster_id: "c-2" }),
    ];
    await world.environment.advance(1_000);
    world.socket.greet({ seq: 13 });
    expect(world.socket.confirm(13).map(({ since }) => since)).toEqual([undefined, undefined]);
    world.socket.receive(eventOf(14, { event_type: "B", cluster_id: "c-2" }));
    await settled();
    expect([one.seen, two.seen]).toEqual([
      [11, 12],
      [13, 14],
    ]);
    expect(world.log.requests.map(({ query }) => [query["since"], query["until"]])).toEqual([
      ["11", "13"],
      ["11", "13"],
    ]);
  });

  it("keeps its place over connections that ended before they confirmed anything", async () => {
    const world = fakeWorld();
    const { seen } = collect(world.sluice.subscribe({ events: ["A"] }));
    await settled();
    await goLive(world, 10);
    world.socket.events(11);
    for (const ending of [0, 1, 2]) {
      world.socket.closeWith(lost);
      await world.environment.advance(20_000);
      if (ending > 0) world.socket.greet({ seq: 20 });
    }
    expect(world.socket.takeSent()).toMatchObject([{ since: 11, epoch: "e1" }]);
    expect(seen).toEqual([11]);
  });

  it("tells of another log with a gap, and hands out all of that", async () => {
    const world = fakeWorld();
    const subscription = world.sluice.subscribe({ events: ["A"] });
    const { seen } = collect(subscription);
    await settled();
    await goLive(world, 10);
    world.socket.events(11);
    await settled();
    world.socket.closeWith(lost);
    world.log.epoch = "e2";
    world.log.add(1, 2);
    await world.environment.advance(1_000);
    world.socket.greet({ epoch: "e2", seq: 2 });
    expect(world.socket.confirm(2)).toMatchObject([{ events: ["A"] }]);
    world.socket.events(3);
    await settled();
    expect(seen).toEqual([11, "[epoch 0-0]", 1, 2, 3]);
    expect(world.sluice.counters.gaps).toBe(1);
    world.socket.receive({ type: "ping", timestamp: "", seq: 5 });
    expect(subscription.cursor).toEqual({ seq: 5, epoch: "e2" });
  });

  it("tells of another log that shows only in the replay, and of a cursor from another log", async () => {
    const world = fakeWorld();
    const { seen } = collect(world.sluice.subscribe({ events: ["A"] }));
    const old = collect(world.sluice.subscribe({ events: ["A"], since: { seq: 5, epoch: "e0" } }));
    await settled();
    world.log.add(9);
    await goLive(world, 10);
    world.socket.receive({ type: "gap", reason: "epoch", from_seq: 0, to_seq: 3, dropped: null });
    world.socket.events(4);
    await settled();
    expect(seen).toEqual(["[epoch 0-3]", 4]);
    expect(old.seen).toEqual(["[epoch 0-0]", 9, "[epoch 0-3]", 4]);
  });

  it("hands out gaps of the stream in their place", async () => {
    const world = fakeWorld();
    const { seen } = collect(world.sluice.subscribe({ events: ["A"] }));
    await settled();
    await goLive(world, 10);
    world.socket.events(11);
    world.socket.receive({ type: "gap", reason: "overflow", from_seq: 12, to_seq: 14, dropped: 2 });
    world.socket.events(15);
    world.socket.receive({ type: "novelty" });
    await settled();
    expect(seen).toEqual([11, "[overflow 12-14]", 15]);
  });
});
