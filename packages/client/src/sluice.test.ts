import { afterEach, describe, expect, it, vi } from "vitest";
import { connect } from "./connect.js";
import type { Gap } from "./event.js";
import { eventOf, fakeSockets } from "./testing/fake-socket.js";
import { collect, type FakeWorld, fakeWorld, goLive } from "./testing/fake-world.js";
import { settled } from "./testing/manual-environment.js";

afterEach(() => vi.unstubAllGlobals());

describe("connect", () => {
  it("needs a WebSocket, the global one or one that it is given", () => {
    vi.stubGlobal("WebSocket", undefined);
    expect(() => connect({ url: "http://a.test" })).toThrow('no WebSocket here; pass that of "ws"');
    vi.stubGlobal("WebSocket", fakeSockets().WebSocket);
    using sluice = connect({ url: "http://a.test" });
    expect(sluice.status).toEqual({ state: "idle" });
  });
});

describe("a subscription", () => {
  it("gives gaps to their handler, and only events to the callback", async () => {
    const world = fakeWorld();
    const gaps: Gap[] = [];
    const seqs: number[] = [];
    world.sluice.subscribe({ onGap: (gap) => gaps.push(gap) }, ({ seq }) => seqs.push(seq));
    await settled();
    await goLive(world, 1);
    world.socket.events(2);
    world.socket.receive({ type: "gap", reason: "retention", from_seq: 3, to_seq: 4, dropped: 1 });
    world.socket.events(5);
    await settled();
    expect([seqs, gaps.map(({ to_seq }) => to_seq)]).toEqual([[2, 5], [4]]);
  });

  it("calls back again only when the promise of the last call has settled", async () => {
    const world = fakeWorld();
    const releases: (() => void)[] = [];
    const subscription = world.sluice.subscribe({}, () => new Promise<void>((resolve) => releases.push(resolve)));
    await settled();
    await goLive(world, 1);
    world.socket.events(2, 3);
    await settled();
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await settled();
    expect([releases.length, subscription.cursor?.seq]).toEqual([2, 2]);
    subscription.close();
    releases[1]?.();
    await subscription.finished;
  });

  it("ends when its signal is aborted, before or after", async () => {
    const world = fakeWorld();
    const ended = world.sluice.subscribe({ signal: AbortSignal.abort() });
    expect((await ended.next()).done).toBe(true);
    const ending = new AbortController();
    const later = collect(world.sluice.subscribe({ signal: ending.signal }));
    await settled();
    await goLive(world, 1);
    ending.abort();
    expect(await later.end).toBeUndefined();
    expect(world.socket.takeSent()).toEqual([{ type: "unsubscribe", events: ["*"] }]);
  });

  it("lets go of what doesn't fit, and fetches it when its consumer comes back", async () => {
    const world = fakeWorld({ bufferEvents: 2 });
    const subscription = world.sluice.subscribe({ events: ["A"] });
    await settled();
    Object.assign(world.socket, { pause: undefined });
    await goLive(world, 10);
    for (const seq of [11, 12, 13, 14]) {
      world.log.events.push(eventOf(seq));
      world.socket.events(seq);
    }
    expect(world.sluice.counters).toMatchObject({ overflows: 1, buffered: 1 });
    expect(world.sluice.status.state).toBe("lagging");
    const { seen } = collect(subscription);
    await settled();
    expect(seen).toEqual([11, 12, 13, 14]);
    expect(world.log.requests.map(({ query }) => [query["since"], query["until"], query["limit"]])).toEqual([
      ["10", "13", "2"],
      ["12", "13", "2"],
    ]);
  });

  it("ends its loops quietly when the client is closed", async () => {
    const world = fakeWorld();
    const { end } = collect(world.sluice.subscribe());
    await settled();
    await goLive(world, 1);
    world.sluice.close();
    expect(await end).toBeUndefined();
    expect(world.socket.asked).toEqual(["close 1000"]);
    world.socket.closeWith(1000);
    expect(world.environment.timers).toBe(0);
  });

  it("does not wait for long for a server that doesn't say goodbye", async () => {
    const world = fakeWorld({ policy: null });
    world.sluice.subscribe();
    await settled();
    await goLive(world, 1);
    expect(world.socket.url).toBe("ws://sluice.test/ws?");
    world.sluice.close();
    await world.environment.advance(1_000);
    expect(world.socket.asked).toEqual(["close 1000", "terminate"]);
    expect(world.environment.timers).toBe(0);
  });

  it("tells of every frame that is no event, before it is acted on", async () => {
    const told: string[] = [];
    const world: FakeWorld = fakeWorld({
      onFrame: ({ type }) => told.push(`${type} ${world.sluice.counters.events}`),
    });
    world.sluice.subscribe();
    await settled();
    await goLive(world, 1);
    world.socket.events(2);
    world.socket.receive({ type: "ping", timestamp: "", seq: 2 });
    expect(told).toEqual(["connected 0", "subscribed 0", "ping 1"]);
  });
});
