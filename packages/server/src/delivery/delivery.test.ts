import { closes } from "@sluice/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { DeliveryWorld, setOf, until, type WorldOptions } from "./contract/delivery-world.js";
import type { RecordingSink } from "./contract/recording-sink.js";
import type { Consumer } from "./consumer.js";

const worlds: DeliveryWorld[] = [];

function worldOf(options: WorldOptions = {}): DeliveryWorld {
  const world = new DeliveryWorld(options);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  const errors = worlds.flatMap((world) => world.errors);
  await Promise.all(worlds.splice(0).map((world) => world.close()));
  if (errors.length > 0) throw new Error("a fault was told", { cause: errors[0] });
});

const oneTo = (count: number, from = 1): number[] =>
  Array.from({ length: count - from + 1 }, (_, index) => index + from);

/** Blocks the consumer with event 1. */
async function block(world: DeliveryWorld, sink: RecordingSink): Promise<void> {
  sink.limit(1);
  await world.publishMany(1);
  expect(sink.isBlocked).toBe(true);
}

async function level(consumer: Consumer): Promise<void> {
  expect(await until(() => consumer.isLevel), "becomes level").toBe(true);
}

function reply(world: DeliveryWorld, consumer: Consumer, id: string): void {
  world.delivery.reply(consumer, { type: "error", id, code: "RATE_LIMITED", message: "" });
}

function ping(world: DeliveryWorld, consumer: Consumer): void {
  world.delivery.ping(consumer, (seq) => ({ type: "ping", timestamp: "", seq }));
}

describe("level consumers", () => {
  it("that get the same ping get the same buffer, encoded once", () => {
    const world = worldOf();
    const written: Buffer[] = [];
    const consumers = [1, 2].map(() => {
      const { sink, consumer } = world.subscriber({ A: null });
      sink.write = (bytes) => written.push(bytes) > 0;
      return consumer;
    });
    const frame = { type: "ping", timestamp: "", seq: 7 } as const;
    for (const consumer of consumers) world.delivery.ping(consumer, () => frame);
    world.delivery.ping(consumers[0] as Consumer, () => ({ ...frame, seq: 8 }));
    expect(written[1]).toBe(written[0]);
    expect(written[2]).not.toBe(written[0]);
    expect(written[2]?.toString("latin1")).toContain('"seq":8');
  });

  it("of one lane get the same buffer, and one write for one turn", async () => {
    const world = worldOf();
    const written: Buffer[] = [];
    for (let member = 0; member < 3; member += 1) {
      const { sink } = world.subscriber({ A: null });
      const write = sink.write.bind(sink);
      sink.write = (bytes) => {
        written.push(bytes);
        return write(bytes);
      };
    }
    await world.publishMany(5);
    expect(written).toHaveLength(3);
    expect(new Set(written).size).toBe(1);
    expect(world.delivery.tally).toMatchObject({ delivered: 15, writes: 3 });
  });

  it("get what they subscribed to from then on, and of several matches one copy", async () => {
    const world = worldOf();
    await world.publishMany(2);
    const { consumer, sink } = world.subscriber({ A: ["c-1"], "A*": null });
    await world.publish([
      ["A", "c-1"],
      ["AB", undefined],
      ["B", "c-1"],
      ["A", undefined],
    ]);
    expect(sink.seqs).toEqual([3, 4, 6]);
    world.delivery.subscribe(consumer, SubscriptionSet.empty);
    await world.publishMany(1);
    expect(sink.seqs).toEqual([3, 4, 6]);
    expect([world.subscriptions.lanes.size, world.subscriptions.counts.size]).toEqual([0, 0]);
  });

  it("are told true numbers, however much has gone by", async () => {
    const world = worldOf({ maxMessages: 10 });
    const { consumer, sink } = world.subscriber({ A: null });
    await world.publishMany(50);
    world.clock.advance(5);
    expect(world.delivery.metricsOf(consumer)).toEqual({
      connectionId: consumer.id,
      bufferSize: 0,
      maxBufferSize: 10,
      pending: 0,
      paused: false,
      messagesSent: 50,
      bytesSent: sink.frames.reduce((sum, { bytes }) => sum + bytes, 0),
      messagesDropped: 0,
      lastSendTimeMs: world.clock.wall() - 5,
      averageLatencyMs: 0,
      lagMs: 0,
    });
    expect(world.delivery.dropped("drop-oldest")).toBe(0);
  });
});

describe("a slow consumer", () => {
  it("is left alone until its transport has drained, and changes nothing for the others of its lane", async () => {
    const world = worldOf();
    const slow = world.subscriber({ A: null });
    const fast = world.subscriber({ A: null });
    await block(world, slow.sink);
    await world.publishMany(3);
    expect([slow.sink.seqs, fast.sink.seqs]).toEqual([[1], [1, 2, 3, 4]]);
    world.drain(slow.consumer, slow.sink);
    await level(slow.consumer);
    expect([slow.sink.seqs, slow.sink.misuses]).toEqual([[1, 2, 3, 4], []]);
    expect(slow.consumer.drains).toBe(1);
    world.delivery.drained(slow.consumer);
    expect(slow.consumer.drains, "it was not blocked").toBe(1);
  });

  it("is paused at 80 % and resumed at 50 %, and told so before what waits", async () => {
    const world = worldOf({ maxMessages: 10 });
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(7);
    expect(consumer.isPaused).toBe(false);
    await world.publishMany(1);
    expect([consumer.isPaused, world.delivery.tally.paused, world.delivery.metricsOf(consumer).paused]).toEqual([
      true,
      1,
      true,
    ]);
    world.clock.advance(40);
    expect(world.delivery.metricsOf(consumer)).toMatchObject({ bufferSize: 8, pending: 8, lagMs: 40 });
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.story).toEqual(["event×1", "lag paused", "event×8", "lag resumed"]);
    expect(sink.frames.find(({ state }) => state === "paused")).toMatchObject({ pending: 8 });
    expect(world.delivery.tally).toMatchObject({ pauses: 1, resumes: 1, paused: 0 });
  });

  it("has what its policy skipped told in its place: the oldest", async () => {
    const world = worldOf({ maxMessages: 5 });
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(20);
    expect(world.delivery.metricsOf(consumer)).toMatchObject({ bufferSize: 5, pending: 5, messagesDropped: 15 });
    expect(sink.frames.some(({ type }) => type === "gap")).toBe(false);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1, ...oneTo(21, 17)]);
    expect(sink.frames.find(({ type }) => type === "gap")).toMatchObject({
      reason: "overflow",
      from_seq: 2,
      to_seq: 16,
      dropped: 15,
    });
    expect(
      sink.frames.find(({ state }) => state === "paused"),
      "told what is kept",
    ).toMatchObject({ pending: 5 });
    expect(world.delivery.dropped("drop-oldest")).toBe(15);
  });

  it("has what its policy skipped told in its place: the newest", async () => {
    const world = worldOf({ maxMessages: 5 });
    const { consumer, sink } = world.subscriber({ A: null }, { policy: "drop-newest" });
    await block(world, sink);
    await world.publishMany(20);
    await world.publishMany(2);
    expect(world.delivery.metricsOf(consumer)).toMatchObject({ pending: 5, messagesDropped: 17 });
    world.drain(consumer, sink);
    await level(consumer);
    await world.publishMany(1);
    expect(sink.seqs).toEqual([...oneTo(6), 24]);
    expect(sink.frames.find(({ type }) => type === "gap")).toMatchObject({ from_seq: 7, to_seq: 23, dropped: 17 });
    expect(sink.frames.find(({ state }) => state === "paused")).toMatchObject({ pending: 5 });
  });

  it("gets everything under policy replay, from the log where memory has let go of it", async () => {
    const world = worldOf({ maxMessages: 5, tailBytes: 1 });
    const { consumer, sink } = world.subscriber({ A: null }, { policy: "replay" });
    await block(world, sink);
    await world.publish([
      ["A", "c"],
      ["B", "c"],
    ]);
    await world.publishMany(1500);
    expect(world.delivery.metricsOf(consumer)).toMatchObject({ bufferSize: 5, pending: 1501, messagesDropped: 0 });
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1, 2, ...oneTo(1503, 4)]);
    expect(sink.story.filter((part) => !part.startsWith("event"))).toEqual(["lag paused", "lag resumed"]);
  });

  it.each([
    [4, false],
    [5, false],
    [6, true],
  ])("with %i of 5 waiting under policy disconnect: closed %s", async (waiting, isClosed) => {
    const world = worldOf({ maxMessages: 5 });
    const { consumer, sink } = world.subscriber({ A: null }, { policy: "disconnect" });
    await block(world, sink);
    await world.publishMany(waiting);
    expect(consumer.isClosed).toBe(isClosed);
    expect(sink.closedWith).toBe(isClosed ? closes.slowConsumer : undefined);
    expect(world.subscriptions.lanes.size).toBe(isClosed ? 0 : 1);
  });

  it("keeps its policy when it changes its subscriptions while it is paused", async () => {
    const world = worldOf({ maxMessages: 5 });
    const newest = world.subscriber({ A: null }, { policy: "drop-newest" });
    const out = world.subscriber({ A: null }, { policy: "disconnect" });
    newest.sink.limit(1);
    await block(world, out.sink);
    await world.publishMany(4);
    for (const { consumer } of [newest, out]) {
      expect(consumer.isPaused).toBe(true);
      world.delivery.subscribe(consumer, setOf({ A: null, B: null }));
    }
    await world.publishMany(9);
    expect(world.delivery.metricsOf(newest.consumer)).toMatchObject({ pending: 5, messagesDropped: 8 });
    expect(out.sink.closedWith).toBe(closes.slowConsumer);
  });

  it("has a gap where retention was faster", async () => {
    const world = worldOf({ maxMessages: 50, maxEvents: 10, tailBytes: 1 });
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(30);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1, ...oneTo(31, 22)]);
    const gaps = sink.frames.filter(({ type }) => type === "gap");
    expect(gaps, "one, not one an event").toHaveLength(1);
    expect(gaps[0]).toMatchObject({ reason: "retention", from_seq: 2, to_seq: 21, dropped: 20 });
    expect(world.delivery.tally.gaps).toBe(1);
  });
});

describe("replies", () => {
  it("go behind what was accepted before them and before what comes later", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    await world.publishMany(1);
    reply(world, consumer, "1");
    await block(world, sink);
    await world.publishMany(1);
    reply(world, consumer, "2");
    await world.publishMany(1);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.story).toEqual(["event×1", "error", "event×2", "error", "event×1"]);
  });

  it("can block a transport like events do", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    sink.limit(1);
    reply(world, consumer, "1");
    await world.publishMany(2);
    expect(sink.story).toEqual(["error"]);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.story).toEqual(["error", "event×2"]);
  });

  it("come at once in a long replay that finds little", async () => {
    const world = worldOf({ readTurns: 3 });
    await world.publish(Array.from({ length: 2000 }, () => ["B", undefined]));
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    reply(world, consumer, "1");
    await until(() => sink.frames.length > 0);
    expect(sink.story, "before the replay is through").toEqual(["error"]);
    await level(consumer);
    expect(sink.story).toEqual(["error", "live"]);
  });
});

describe("a change of subscriptions", () => {
  it("while behind takes out what is no longer wanted, and keeps the rest in order", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null, B: null });
    await block(world, sink);
    await world.publish([
      ["A", "c-1"],
      ["B", "c-1"],
      ["A", "c-2"],
    ]);
    world.delivery.subscribe(consumer, setOf({ A: ["c-1"], C: null }));
    reply(world, consumer, "1");
    await world.publish([
      ["B", "c-1"],
      ["C", "c-1"],
      ["A", "c-1"],
    ]);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1, 2, 6, 7]);
    expect(sink.story).toEqual(["event×2", "error", "event×2"]);
  });

  it("never brings back what an earlier one took out, after any number of them", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(1);
    for (let change = 0; change < 12; change += 1)
      world.delivery.subscribe(consumer, setOf({ A: null, [`B${change}`]: null }));
    world.delivery.subscribe(consumer, SubscriptionSet.empty);
    world.delivery.subscribe(consumer, setOf({ A: null }));
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1]);
  });

  it("of a consumer that has gone does nothing", () => {
    const world = worldOf();
    const { consumer } = world.subscriber({ A: null });
    world.delivery.remove(consumer);
    world.delivery.subscribe(consumer, setOf({ B: null }));
    expect([world.subscriptions.lanes.size, world.subscriptions.counts.size]).toEqual([0, 0]);
  });
});

describe("since", () => {
  it("sends what is retained, then goes on live without a seam", async () => {
    const world = worldOf({ maxEvents: 6 });
    await world.publishMany(10);
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 2, { id: "since" });
    await world.publishMany(2);
    await level(consumer);
    await world.publishMany(1);
    const [gap] = sink.frames;
    expect(gap).toMatchObject({ type: "gap", reason: "retention", from_seq: 3, dropped: null });
    expect(sink.seqs).toEqual(oneTo(13, (gap?.to_seq as number) + 1));
    expect(sink.story.filter((told) => !told.startsWith("event"))).toEqual(["gap", "live"]);
  });

  it("of subscriptions that are held goes behind what waits, and after its reply", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(2);
    world.delivery.subscribe(consumer, setOf({ A: null }));
    reply(world, consumer, "1");
    world.delivery.replay(consumer, consumer.set, 1, { id: "since" });
    await world.publishMany(1);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([1, 2, 3, 2, 3, 4]);
    expect(sink.story).toEqual(["event×3", "error", "event×3", "live"]);
  });

  it("is lossless for a frozen drop-newest consumer", async () => {
    const world = worldOf({ maxMessages: 3 });
    const { consumer, sink } = world.subscriber({ A: null }, { policy: "drop-newest" });
    await block(world, sink);
    await world.publishMany(9);
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    await world.publishMany(9);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.seqs).toEqual([...oneTo(4), ...oneTo(19)]);
    expect(sink.frames.find(({ type }) => type === "gap")).toMatchObject({ from_seq: 5, to_seq: 10, dropped: 6 });
  });

  it("puts the gap of a position from another log first", async () => {
    const world = worldOf();
    await world.publishMany(3);
    const { consumer, sink } = world.subscriber({ A: null });
    const lost = { reason: "epoch", fromSeq: 0, toSeq: 99, dropped: null } as const;
    world.delivery.replay(consumer, consumer.set, 99, { id: undefined, lost });
    await level(consumer);
    expect(sink.frames).toMatchObject([
      { type: "gap", reason: "epoch", from_seq: 0, to_seq: 3, dropped: null },
      { type: "live", seq: 3 },
    ]);
    expect(sink.frames[1], "a command without an id").not.toHaveProperty("id");
  });

  it("suspends the policy only until it is live, though the transport is full", async () => {
    const world = worldOf({ maxMessages: 3 });
    await world.publishMany(5);
    const { consumer, sink } = world.subscriber({ A: null }, { policy: "disconnect" });
    sink.limit(1);
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    await until(() => sink.isBlocked);
    expect(sink.story.at(-1)).toBe("live");
    await world.publishMany(3);
    expect(consumer.isClosed).toBe(false);
    await world.publishMany(1);
    expect(sink.closedWith).toBe(closes.slowConsumer);
  });
});

describe("ping", () => {
  it("promises all that is routed to a level consumer, subscribed or not", async () => {
    const world = worldOf();
    const { consumer, sink } = world.connect();
    await world.publishMany(4);
    ping(world, consumer);
    expect(sink.frames).toMatchObject([{ type: "ping", seq: 4 }]);
  });

  it("goes before what waits and promises what has been sent when it goes; a later one replaces it", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(3);
    ping(world, consumer);
    ping(world, consumer);
    expect(sink.story, "it never waits").toEqual(["event×1"]);
    world.drain(consumer, sink);
    await level(consumer);
    expect(sink.story).toEqual(["event×1", "ping", "event×3"]);
    expect(sink.frames[1]).toMatchObject({ seq: 1 });
  });

  it("promises nothing of a replay that has not been sent yet", async () => {
    const world = worldOf({ readTurns: 2 });
    await world.publishMany(1500, 20);
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 100, { id: "since" });
    ping(world, consumer);
    sink.onFrame = ({ type, seq }) => {
      if (type === "event" && (seq as number) % 500 === 0) ping(world, consumer);
    };
    await level(consumer);
    let sent = 100;
    for (const { type, seq } of sink.frames) {
      if (type === "event") sent = seq as number;
      if (type === "ping") expect(seq).toBeLessThanOrEqual(sent);
    }
    expect(sink.frames.filter(({ type }) => type === "ping").length).toBeGreaterThan(2);
  });
});

describe("the end", () => {
  it("of a consumer is said once, leaves nothing behind, and nothing is written after it", async () => {
    const world = worldOf();
    const { consumer, sink } = world.subscriber({ A: null });
    const other = world.subscriber({ A: null });
    await block(world, sink);
    world.delivery.close(consumer, closes.revoked);
    world.delivery.close(consumer, closes.internalError);
    expect(sink.closedWith).toBe(closes.revoked);
    reply(world, consumer, "1");
    ping(world, consumer);
    sink.drain(Number.POSITIVE_INFINITY);
    world.delivery.drained(consumer);
    await world.publishMany(1);
    expect([sink.seqs, sink.frames.length, sink.misuses, other.sink.seqs]).toEqual([[1], 1, [], [1, 2]]);
    world.delivery.remove(other.consumer);
    expect([world.subscriptions.lanes.size, world.delivery.consumers.size]).toEqual([0, 0]);
  });

  it("of a consumer keeps its losses in the sums, and takes it out of the paused", async () => {
    const world = worldOf({ maxMessages: 2 });
    const { consumer, sink } = world.subscriber({ A: null });
    await block(world, sink);
    await world.publishMany(5);
    expect([world.delivery.dropped("drop-oldest"), world.delivery.tally.paused]).toEqual([3, 1]);
    world.delivery.remove(consumer);
    world.delivery.remove(consumer);
    expect([world.delivery.dropped("drop-oldest"), world.delivery.dropped("replay")]).toEqual([3, 0]);
    expect(world.delivery.tally).toMatchObject({ paused: 0, droppedByGone: { "drop-oldest": 3 } });
  });

  it("writes what is routed when all is flushed", async () => {
    const world = worldOf();
    const { sink } = world.subscriber({ A: null });
    await world.publishMany(2);
    world.delivery.flushAll();
    expect([sink.seqs, sink.writes]).toEqual([[1, 2], 1]);
  });
});
