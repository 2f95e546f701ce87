import { closes } from "@sluice/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { LogError } from "../log/event-log.js";
import { DeliveryWorld, turns, until, type WorldOptions } from "./contract/delivery-world.js";

const worlds: DeliveryWorld[] = [];

function worldOf(options: WorldOptions = {}): DeliveryWorld {
  const world = new DeliveryWorld(options);
  worlds.push(world);
  return world;
}

afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

const oneTo = (count: number, from = 1): number[] =>
  Array.from({ length: count - from + 1 }, (_, index) => index + from);

describe("turns", () => {
  it("go round: nobody waits until another has caught up, and live events pass between them", async () => {
    const world = worldOf({ tailBytes: 10_000_000 });
    await world.publishMany(1000, 1000);
    const order: string[] = [];
    const laggards = ["a", "b"].map((name) => {
      const laggard = world.subscriber({ A: null });
      laggard.sink.onFrame = () => {
        if (order.at(-1) !== name) order.push(name);
      };
      world.delivery.replay(laggard.consumer, laggard.consumer.set, 0, { id: name });
      return laggard;
    });
    const live = world.subscriber({ B: null });
    live.sink.onFrame = () => order.push("live");
    await turns(4);
    await world.publish([["B", undefined]]);
    expect(await until(() => laggards.every(({ consumer }) => consumer.isLevel))).toBe(true);
    expect(order.filter((name) => name === "a").length).toBeGreaterThan(4);
    expect(order.indexOf("live")).toBeGreaterThan(0);
    expect(order.indexOf("live")).toBeLessThan(order.length - 1);
    for (const { sink } of laggards) expect(sink.seqs).toEqual(oneTo(1000));
  });

  it("end when their time is over, and the others follow in the next", async () => {
    const world = worldOf({ msPerLook: 5 });
    await world.publishMany(10);
    const laggards = Array.from({ length: 5 }, () => world.subscriber({ A: null }));
    for (const { consumer } of laggards) world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    expect(await until(() => laggards.every(({ consumer }) => consumer.isLevel))).toBe(true);
    for (const { sink } of laggards) expect(sink.seqs).toEqual(oneTo(10));
  });

  it("end after a bounded number of writes, however many have drained at once and however fast the clock says it went", async () => {
    const world = worldOf();
    await world.publishMany(600, 1000);
    const laggards = Array.from({ length: 100 }, () => world.subscriber({ A: null }));
    for (const { consumer } of laggards) world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    const live = world.subscriber({ B: null });
    const written = (): number => laggards.reduce((sum, { sink }) => sum + sink.writes, 0);
    let before = 0;
    let most = 0;
    let published = 0;
    const isThrough = (): boolean => {
      most = Math.max(most, written() - before);
      before = written();
      return laggards.every(({ consumer }) => consumer.isLevel);
    };
    while (!isThrough()) {
      published += 1;
      let isPublished = false;
      void world.publish([["B", undefined]]).then(() => (isPublished = true));
      // A commit takes a turn itself.
      for (let turn = 0; turn < 3 && !isPublished; turn += 1) {
        await turns(1);
        isThrough();
      }
      expect(live.sink.seqs.length, "a live event goes out between two turns").toBe(published);
    }
    // Of a turn 16, and 9 of the slice that passes them.
    expect(most).toBeLessThanOrEqual(25);
    expect(written()).toBeGreaterThan(100 * 20);
    for (const { sink } of laggards) expect(sink.seqs.slice(0, 600)).toEqual(oneTo(600));
  });

  it("look at a bounded number of events, wanted or not", async () => {
    const world = worldOf();
    await world.publish(Array.from({ length: 6000 }, () => ["B", undefined]));
    await world.publishMany(1);
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    let rounds = 0;
    expect(await until(() => (rounds += 1) > 0 && consumer.isLevel)).toBe(true);
    expect(rounds).toBeGreaterThan(3);
    expect(sink.seqs).toEqual([6001]);
  });

  it("write chunks of 16 KiB, and stop at the one that fills the transport", async () => {
    const world = worldOf();
    await world.publishMany(200, 500);
    const { consumer, sink } = world.subscriber({ A: null });
    sink.limit(1);
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    await until(() => sink.isBlocked);
    const bytes = sink.frames.reduce((sum, frame) => sum + frame.bytes, 0);
    expect(bytes).toBeGreaterThan(15 * 1024);
    expect(bytes).toBeLessThan(18 * 1024);
    await turns(5);
    expect([sink.writes, sink.misuses]).toEqual([1, []]);
  });

  it("write no reply to a transport that has just said it was full", async () => {
    const world = worldOf({ maxMessages: 50 });
    const { consumer, sink } = world.subscriber({ A: null });
    sink.limit(1);
    await world.publishMany(1);
    await world.publishMany(6, 3000);
    world.delivery.reply(consumer, { type: "error", id: "1", code: "RATE_LIMITED", message: "" });
    world.drain(consumer, sink, 1);
    await turns(3);
    expect([sink.story, sink.misuses]).toEqual([["event×7"], []]);
    world.drain(consumer, sink);
    expect(await until(() => consumer.isLevel)).toBe(true);
    expect(sink.story).toEqual(["event×7", "error"]);
  });
});

describe("pages", () => {
  it("are read once for all who come back to the same place", async () => {
    const world = worldOf();
    await world.publishMany(700);
    const laggards = Array.from({ length: 50 }, () => world.subscriber({ A: null }));
    for (const { consumer } of laggards) world.delivery.replay(consumer, consumer.set, 600, { id: "since" });
    expect(await until(() => laggards.every(({ consumer }) => consumer.isLevel))).toBe(true);
    expect(world.reads).toBe(1);
  });

  it("are in few hands at once, and in none that are full", async () => {
    const world = worldOf({ readTurns: 2, tailBytes: 1 });
    const count = 24;
    await world.publishMany(count * 512, 50);
    const laggards = Array.from({ length: count }, () => world.subscriber({ A: null }));
    for (const [index, { consumer, sink }] of laggards.entries()) {
      if (index % 2 === 0) sink.limit(1);
      world.delivery.replay(consumer, consumer.set, index * 512, { id: "since" });
    }
    let most = 0;
    const isThrough = (): boolean => {
      const inHand = laggards.filter(({ consumer }) => consumer.page !== undefined);
      most = Math.max(most, inHand.length);
      expect(inHand.filter(({ sink }) => sink.isBlocked)).toEqual([]);
      return laggards.every(({ consumer, sink }) => consumer.isLevel || sink.isBlocked);
    };
    expect(await until(isThrough, 50_000)).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    for (const { consumer, sink } of laggards) world.drain(consumer, sink);
    expect(await until(() => laggards.every(({ consumer }) => consumer.isLevel), 50_000)).toBe(true);
    for (const [index, { sink }] of laggards.entries()) {
      expect(sink.seqs).toEqual(oneTo(count * 512, index * 512 + 1));
    }
  });

  it("are shared by laggards that began at different places, and by those of whom each wants something else", async () => {
    const pagesOfLog = 60;
    const world = worldOf({ tailBytes: 4_000_000 });
    await world.publish(Array.from({ length: pagesOfLog * 512 }, (_, n) => [n % 50 === 7 ? "A" : "B", undefined]));
    const laggards = Array.from({ length: 60 }, () => world.subscriber({ A: null }));
    for (const [index, { consumer }] of laggards.entries()) {
      world.delivery.replay(consumer, consumer.set, index * 512, { id: "since" });
    }
    expect(await until(() => laggards.every(({ consumer }) => consumer.isLevel), 50_000)).toBe(true);
    const all = oneTo(pagesOfLog * 512).filter((seq) => (seq - 1) % 50 === 7);
    for (const [index, { sink }] of laggards.entries()) {
      expect(sink.seqs).toEqual(all.filter((seq) => seq > index * 512));
    }
    expect(world.reads, "of 1,830 without sharing").toBeLessThan(4 * pagesOfLog);
  });

  it("on their way for one who leaves are let go of, and those who wait have their turn", async () => {
    const world = worldOf({ readTurns: 5, tailBytes: 1 });
    await world.publishMany(40 * 512);
    const laggards = Array.from({ length: 40 }, () => world.subscriber({ A: null }));
    for (const [index, { consumer }] of laggards.entries()) {
      world.delivery.replay(consumer, consumer.set, index * 512, { id: "since" });
    }
    await turns(2);
    for (const { consumer } of laggards.slice(0, 39)) world.delivery.remove(consumer);
    const [last] = laggards.slice(39);
    expect(await until(() => last?.consumer.isLevel === true)).toBe(true);
    expect(last?.sink.seqs).toEqual(oneTo(40 * 512, 39 * 512 + 1));
  });

  it("that two share are read anew for the one for whom the head was not far enough", async () => {
    const world = worldOf({ readTurns: 3, tailBytes: 1 });
    await world.publishMany(1);
    const [one, two] = [world.subscriber({ A: null }), world.subscriber({ A: null })];
    world.delivery.replay(one.consumer, one.consumer.set, 0, { id: "1" });
    await turns(1);
    await world.publishMany(1);
    world.delivery.replay(two.consumer, two.consumer.set, 1, { id: "2" });
    expect(await until(() => one.consumer.isLevel && two.consumer.isLevel)).toBe(true);
    expect([one.sink.seqs, two.sink.seqs.at(-1), world.errors]).toEqual([[1, 2], 2, []]);
  });
});

describe("faults", () => {
  it("of the log end the consumer that needs it, and no other", async () => {
    const world = worldOf({ tailBytes: 1 });
    await world.publishMany(3);
    const fault = new LogError("LOG_DAMAGED", "a record fails its checksum");
    world.log.scan = () => Promise.reject(fault);
    const live = world.subscriber({ A: null });
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    expect(await until(() => consumer.isClosed)).toBe(true);
    expect([sink.closedWith, world.errors]).toEqual([closes.internalError, [fault]]);
    await world.publishMany(1);
    expect(live.sink.seqs).toEqual([4]);
  });

  it("that have taken records leave a gap in their place, for a replay and for what was live", async () => {
    const world = worldOf({ tailBytes: 1 });
    const scan = world.log.scan.bind(world.log);
    const seqs = { first: 3, last: 4 };
    world.log.scan = (after, options, take) => {
      if (after >= seqs.last) return scan(after, options, take);
      if (after + 1 < seqs.first) return scan(after, { ...options, until: seqs.first - 1 }, take);
      return Promise.reject(new LogError("LOG_DAMAGED", "bad", { seqs: { first: after + 1, last: seqs.last } }));
    };
    const behind = world.subscriber({ A: null });
    behind.sink.limit(1);
    await world.publishMany(1);
    await world.publishMany(5);
    const replaying = world.subscriber({ A: null });
    world.delivery.replay(replaying.consumer, replaying.consumer.set, 0, { id: "since" });
    world.drain(behind.consumer, behind.sink);
    expect(await until(() => behind.consumer.isLevel && replaying.consumer.isLevel)).toBe(true);
    for (const { sink } of [behind, replaying]) {
      expect(sink.seqs).toEqual([1, 2, 5, 6]);
      expect(sink.frames.filter(({ type }) => type === "gap")).toMatchObject([
        { reason: "retention", from_seq: 3, to_seq: 4 },
      ]);
    }
  });

  it("are none when the log is closed: the process ends", async () => {
    const world = worldOf({ tailBytes: 1 });
    await world.publishMany(3);
    await world.log.close();
    const { consumer } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    await turns(10);
    expect([consumer.isClosed, world.errors]).toEqual([false, []]);
  });

  it("of a log that holds less than it said are told", async () => {
    const world = worldOf({ tailBytes: 1 });
    await world.publishMany(3);
    world.log.scan = (after) => Promise.resolve({ scannedTo: after, oldest: 1, head: after });
    const { consumer, sink } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    expect(await until(() => consumer.isClosed)).toBe(true);
    expect(sink.closedWith).toBe(closes.internalError);
    expect(String(world.errors[0])).toContain("nothing after seq 0");
  });

  it("of a transport end its consumer and not the process", async () => {
    const world = worldOf();
    await world.publishMany(3);
    const { consumer, sink } = world.subscriber({ A: null });
    const fault = new Error("this transport is broken");
    sink.write = () => {
      throw fault;
    };
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    expect(await until(() => consumer.isClosed)).toBe(true);
    expect([sink.closedWith, world.errors]).toEqual([closes.internalError, [fault]]);
  });

  it("that come after a consumer has gone are nobody's", async () => {
    const world = worldOf({ readTurns: 0, tailBytes: 1 });
    await world.publishMany(3);
    let refuse: (error: Error) => void = () => undefined;
    world.log.read = () =>
      new Promise((_, reject) => {
        refuse = reject;
      });
    const { consumer } = world.subscriber({ A: null });
    world.delivery.replay(consumer, consumer.set, 0, { id: "since" });
    await turns(2);
    world.delivery.remove(consumer);
    refuse(new Error("too late"));
    await turns(2);
    expect(world.errors).toEqual([]);
  });
});
