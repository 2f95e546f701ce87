// Protocol §3: what is asked for is what comes, in order, once; what may not be asked for changes nothing.
import { randomUUID } from "node:crypto";
import {
  connectionsOf,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  startServer,
  type ConnectOptions,
  type EventFrame,
  type Frame,
} from "@sluice/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let server: Awaited<ReturnType<typeof startServer>>;
let clients: RawClient[];
beforeEach(async () => {
  server = await startServer();
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

async function connect(options: ConnectOptions = { token: mint() }): Promise<RawClient> {
  const client = await RawClient.connect(server.url, options);
  clients.push(client);
  await client.next("connected");
  return client;
}

function names(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `EVENT_${first + index}`);
}

/** Publishes one event of each type and cluster given as `TYPE@cluster` or `TYPE`. */
async function publishAll(...texts: readonly string[]): Promise<void> {
  const events = texts.map((text) => {
    const [eventType = "", cluster] = text.split("@");
    return { event_type: eventType, ...(cluster === undefined ? {} : { cluster_id: cluster }), payload: null };
  });
  await publish(server.url, events);
}

/** What came, in the notation of `publishAll`, up to a marker that is published last. */
async function received(client: RawClient): Promise<string[]> {
  await publishAll("MARKER@every-cluster");
  const frames = await client.until("the marker", (frame) => frame["event_type"] === "MARKER");
  return frames
    .filter((frame): frame is EventFrame => frame.type === "event")
    .slice(0, -1)
    .map(({ event_type: eventType, cluster_id: cluster }) =>
      cluster === undefined ? eventType : `${eventType}@${cluster}`,
    );
}

function subscribe(events: readonly string[], more: Readonly<Record<string, unknown>> = {}) {
  return { type: "subscribe", id: randomUUID(), events, ...more };
}

describe("subscribe", () => {
  it("is acked with what was asked for and the seq after which it counts, before any event of it", async () => {
    await publishAll("A", "B");
    const client = await connect();
    const command = subscribe(["GPU_*", "ALERT_FIRED"], { clusters: ["c-2", "c-1"] });
    client.send(command);
    await publishAll("GPU_UPDATE@c-1");
    const ack = await client.take();
    expect(ack).toEqual({ ...command, type: "subscribed", seq: expect.any(Number) as number });
    expect(ack["seq"]).toBeGreaterThanOrEqual(2);
  });

  it("needs no id", async () => {
    const client = await connect();
    client.send({ type: "subscribe", events: ["A"] });
    expect(await client.take()).toEqual({ type: "subscribed", events: ["A"], clusters: [], seq: 0 });
  });

  it("takes a name as itself, a trailing * as a prefix, * as everything", async () => {
    const [exact, prefix, all] = [await connect(), await connect(), await connect()];
    await exact.subscribe(["GPU_UPDATE", "MARKER"]);
    await prefix.subscribe(["GPU_*", "MARKER"]);
    await all.subscribe(["*"]);
    await publishAll("GPU_UPDATE", "GPU_", "GPU_UPDATE_2", "GPU", "OTHER");
    const [exactly, byPrefix] = [received(exact), received(prefix)];
    expect(await exactly).toEqual(["GPU_UPDATE"]);
    expect(await byPrefix).toEqual(["GPU_UPDATE", "GPU_", "GPU_UPDATE_2"]);
    expect(await received(all)).toEqual(expect.arrayContaining(["GPU_UPDATE", "GPU_", "GPU_UPDATE_2", "GPU", "OTHER"]));
  });

  it("takes clusters by name; without any, all, and events that have none", async () => {
    const [some, all] = [await connect(), await connect()];
    await some.subscribe(["A"], { clusters: ["c-1", "c-2"] });
    await some.subscribe(["MARKER"]);
    await all.subscribe(["*"], { clusters: [] });
    await publishAll("A@c-1", "A@c-2", "A@c-3", "A", "B@c-1");
    const bySome = received(some);
    expect(await bySome).toEqual(["A@c-1", "A@c-2"]);
    expect(await received(all)).toEqual(expect.arrayContaining(["A@c-1", "A@c-2", "A@c-3", "A", "B@c-1"]));
  });

  it("again to the same name replaces its clusters", async () => {
    const client = await connect();
    await client.subscribe(["A"], { clusters: ["c-1"] });
    await client.subscribe(["A"], { clusters: ["c-2"] });
    await client.subscribe(["MARKER"]);
    await publishAll("A@c-1", "A@c-2");
    expect(await received(client)).toEqual(["A@c-2"]);
  });

  it("to several names that match one event brings it once", async () => {
    const client = await connect();
    await client.subscribe(["*", "GPU_*", "GPU_UPDATE"]);
    await client.subscribe(["GP*"], { clusters: ["c-1"] });
    await publishAll("GPU_UPDATE@c-1", "GPU_UPDATE");
    expect(await received(client)).toEqual(["GPU_UPDATE@c-1", "GPU_UPDATE"]);
  });

  it("to names given twice counts them once", async () => {
    const client = await connect();
    expect(await client.ask(subscribe(["A", "A", "B"], { clusters: ["c", "c"] }))).toMatchObject({
      events: ["A", "B"],
      clusters: ["c"],
    });
  });
});

describe("the limit of 100 subscriptions a connection", () => {
  it("lets 99 and 100 pass, refuses 101, and changes nothing then", async () => {
    const client = await connect();
    expect(await client.ask(subscribe(names(99)))).toMatchObject({ type: "subscribed" });
    expect(await client.ask(subscribe(["LAST"]))).toMatchObject({ type: "subscribed" });
    const refused = await client.ask(subscribe(["ONE_MORE"]));
    expect(refused).toMatchObject({ type: "error", code: "SUBSCRIPTION_LIMIT" });
    expect(refused["message"]).toContain("at most 100 subscriptions");
    const [shown] = await connectionsOf(server.url);
    expect(shown?.["subscriptions"]).toHaveLength(100);
    await publishAll("ONE_MORE", "LAST");
    expect(await client.next("event")).toMatchObject({ event_type: "LAST" });
  });

  it("holds for one command too: none of its names is taken when one is too many", async () => {
    const client = await connect();
    await client.ask(subscribe(names(98)));
    expect(await client.ask(subscribe(["X", "Y", "Z"]))).toMatchObject({ code: "SUBSCRIPTION_LIMIT" });
    await publishAll("X", "EVENT_0");
    expect(await client.next("event")).toMatchObject({ event_type: "EVENT_0" });
    expect(await client.ask(subscribe(["X", "Y"]))).toMatchObject({ type: "subscribed" });
  });

  it("lets a held name be replaced at the limit, and a dropped one be taken again", async () => {
    const client = await connect();
    await client.ask(subscribe(names(100)));
    expect(await client.ask(subscribe(["EVENT_7"], { clusters: ["c-1"] }))).toMatchObject({ type: "subscribed" });
    client.send({ type: "unsubscribe", events: ["EVENT_8"] });
    expect(await client.ask(subscribe(["NEW"]))).toMatchObject({ type: "subscribed" });
    expect(await client.ask(subscribe(["NEWER"]))).toMatchObject({ code: "SUBSCRIPTION_LIMIT" });
  });
});

describe("unsubscribe", () => {
  it("ends what it names, and is acked also for what was not held", async () => {
    const client = await connect();
    await client.subscribe(["A", "B", "MARKER"]);
    expect(await client.ask({ type: "unsubscribe", id: "u", events: ["A", "NEVER"] })).toEqual({
      type: "unsubscribed",
      id: "u",
      events: ["A", "NEVER"],
    });
    await publishAll("A", "B");
    expect(await received(client)).toEqual(["B"]);
  });

  it("takes names literally: GPU_* ends GPU_* and not GPU_UPDATE", async () => {
    const client = await connect();
    await client.subscribe(["GPU_*", "GPU_UPDATE", "MARKER"]);
    await client.ask({ type: "unsubscribe", id: "u", events: ["GPU_*"] });
    await publishAll("GPU_UPDATE", "GPU_OTHER");
    expect(await received(client)).toEqual(["GPU_UPDATE"]);
  });
});

describe("rights", () => {
  const restricted = {
    token: mint({ sub: "bob", events: ["GPU_*", "MARKER"], clusters: ["c-1", "lab-*", "every-cluster"] }),
  };
  const forbidden: readonly [string, Frame][] = [
    ["an event outside them", subscribe(["ALERT"], { clusters: ["c-1"] })],
    ["a wider pattern", subscribe(["*"], { clusters: ["c-1"] })],
    ["a wider prefix", subscribe(["GPU*"], { clusters: ["c-1"] })],
    ["a cluster outside them", subscribe(["GPU_A"], { clusters: ["c-2"] })],
    ["one cluster of several outside them", subscribe(["GPU_A"], { clusters: ["c-1", "c-2"] })],
    ["one event of several outside them", subscribe(["GPU_A", "ALERT"], { clusters: ["c-1"] })],
  ];
  it.each(forbidden)("%s is FORBIDDEN and changes nothing", async (_what, command) => {
    const client = await connect(restricted);
    expect(await client.ask(command as typeof command & { id: string })).toMatchObject({
      type: "error",
      code: "FORBIDDEN",
    });
    expect(await connectionsOf(server.url)).toMatchObject([{ subscriptions: [] }]);
  });

  it("no clusters asked for means all that may be seen, and no more", async () => {
    const client = await connect(restricted);
    expect(await client.subscribe(["GPU_*", "MARKER"])).toMatchObject({ clusters: [] });
    await publishAll("GPU_A@c-1", "GPU_A@c-2", "GPU_A@lab-7", "GPU_A", "GPU_B@c-1");
    expect(await received(client)).toEqual(["GPU_A@c-1", "GPU_A@lab-7", "GPU_B@c-1"]);
  });

  it("hold for a replay as for what is live", async () => {
    await publishAll("GPU_A@c-1", "GPU_A@c-2", "GPU_A", "ALERT@c-1");
    const client = await connect(restricted);
    client.send(subscribe(["GPU_*"], { since: 0 }));
    const frames = await client.until("live", ({ type }) => type === "live");
    expect(frames.filter(({ type }) => type === "event")).toMatchObject([{ event_type: "GPU_A", cluster_id: "c-1" }]);
  });
});

describe("since", () => {
  it("brings what is retained, then a live marker, then what is live, nothing missing or twice at the seam", async () => {
    await publish(server.url, numberedEvents(500));
    const client = await connect();
    client.send(subscribe(["GPU_UPDATE"], { since: 0, id: "s" }));
    const publishing = (async () => {
      for (let first = 500; first < 1500; first += 50) await publish(server.url, numberedEvents(50, first));
    })();
    expect(await client.take()).toMatchObject({ type: "subscribed", id: "s" });
    const frames = await client.until(
      "event 1499",
      (frame) => frame.type === "event" && numberOf(frame as EventFrame) === 1499,
    );
    await publishing;
    const numbers = frames.filter((frame): frame is EventFrame => frame.type === "event").map(numberOf);
    expect(numbers).toEqual(Array.from({ length: 1500 }, (_, n) => n));
    const live = frames.filter(({ type }) => type === "live");
    expect(live).toMatchObject([{ id: "s" }]);
    const place = frames.indexOf(live[0] as Frame);
    expect(place).toBeGreaterThanOrEqual(500);
    const before = frames.slice(0, place).findLast(({ type }) => type === "event") as EventFrame;
    expect(live[0]?.["seq"]).toBeGreaterThanOrEqual(before.seq);
  });

  it("a seq brings what came after it", async () => {
    await publish(server.url, numberedEvents(10));
    const client = await connect();
    client.send(subscribe(["*"], { since: 7 }));
    expect((await client.events(3)).map(({ seq }) => seq)).toEqual([8, 9, 10]);
    expect(await client.next("live")).toMatchObject({ seq: 10 });
  });

  it("the head brings nothing but the live marker", async () => {
    await publish(server.url, numberedEvents(3));
    const client = await connect();
    client.send(subscribe(["*"], { since: 3, id: "s" }));
    expect(await client.take()).toMatchObject({ type: "subscribed" });
    expect(await client.take()).toEqual({ type: "live", id: "s", seq: 3 });
  });

  it("of the epoch that connected named is as good as without one", async () => {
    await publish(server.url, numberedEvents(3));
    const client = await RawClient.connect(server.url, { token: mint() });
    clients.push(client);
    const { epoch } = await client.next("connected");
    client.send(subscribe(["*"], { since: 1, epoch }));
    expect(await client.take()).toMatchObject({ type: "subscribed" });
    expect(await client.take()).toMatchObject({ type: "event", seq: 2 });
  });

  const foreign: readonly [string, Readonly<Record<string, unknown>>][] = [
    ["of another epoch", { since: 2, epoch: "another log" }],
    ["beyond the head", { since: 1000 }],
    ["of another epoch and 0", { since: 0, epoch: "another log" }],
  ];
  it.each(foreign)("%s brings a gap of unknown size, then all that is retained", async (_what, more) => {
    await publish(server.url, numberedEvents(3));
    const client = await connect();
    client.send(subscribe(["*"], more));
    expect(await client.take()).toMatchObject({ type: "subscribed" });
    expect(await client.take()).toEqual({ type: "gap", reason: "epoch", from_seq: 0, to_seq: 0, dropped: null });
    expect((await client.events(3)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(await client.next("live")).toMatchObject({ seq: 3 });
  });

  it("before what retention has kept brings a gap in place of what is gone", async () => {
    await using small = await startServer({ log: { retention: { max_events: 1000 } } });
    for (let first = 0; first < 4000; first += 1000) await publish(small.url, numberedEvents(1000, first));
    await using client = await RawClient.connect(small.url, { token: mint() });
    await client.next("connected");
    client.send(subscribe(["*"], { since: 1 }));
    expect(await client.take()).toMatchObject({ type: "subscribed" });
    const gap = await client.take();
    expect(gap).toMatchObject({ type: "gap", reason: "retention", from_seq: 2, dropped: null });
    const frames = await client.until("live", ({ type }) => type === "live");
    const seqs = frames.filter((frame): frame is EventFrame => frame.type === "event").map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => (gap["to_seq"] as number) + 1 + index));
    expect(seqs.at(-1)).toBe(4000);
  });

  it("asked for again replays again, and says live for each", async () => {
    await publish(server.url, numberedEvents(5));
    const client = await connect();
    client.send(subscribe(["*"], { since: 0, id: "one" }));
    await client.next("live");
    client.send(subscribe(["*"], { since: 3, id: "two" }));
    const frames = await client.until("live", ({ type }) => type === "live");
    expect(frames.filter((frame) => frame.type === "event").map((frame) => frame["seq"])).toEqual([4, 5]);
    expect(frames.at(-1)).toMatchObject({ id: "two" });
  });
});

it("connected names the seq up to which everything was before the connection", async () => {
  await publish(server.url, numberedEvents(7));
  const client = await RawClient.connect(server.url, { token: mint(), query: "policy=drop-newest&max_messages=10" });
  clients.push(client);
  expect(await client.take()).toEqual({
    type: "connected",
    connection_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    user_id: "alice",
    protocol: "sluice.v1",
    server_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/) as string,
    epoch: expect.any(String) as string,
    seq: 7,
    policy: "drop-newest",
    heartbeat: { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 },
    buffer: { max_messages: 10, high_watermark: 0.8, low_watermark: 0.5 },
  });
});
