import { afterEach, describe, expect, it } from "vitest";
import { DeliveryWorld, turns, until } from "./contract/delivery-world.js";
import type { RecordingSink } from "./contract/recording-sink.js";

let world: DeliveryWorld;

/** The clock moves with each look, so that every slice of time is over when it is looked at. */
function subscribers(count: number, type: string): readonly RecordingSink[] {
  return Array.from({ length: count }, () => world.subscriber({ [type]: null }).sink);
}

const seqsOf = (sinks: readonly RecordingSink[]): number[][] => sinks.map(({ seqs }) => seqs);
const writesOf = (sinks: readonly RecordingSink[]): number => sinks.reduce((sum, { writes }) => sum + writes, 0);

afterEach(async () => {
  await world.close();
  if (world.errors.length > 0) throw new Error("a fault was told", { cause: world.errors[0] });
});

describe("Flusher", () => {
  it("gives way to the event loop in the middle of a large lane, and comes to all", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const sinks = subscribers(200, "A");
    await world.publishMany(1);
    const writtenAtOnce = writesOf(sinks);
    expect(writtenAtOnce).toBeGreaterThan(0);
    expect(writtenAtOnce).toBeLessThan(200);
    expect(world.delivery.isFlushed).toBe(false);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    expect(seqsOf(sinks)).toEqual(sinks.map(() => [1]));
    expect(world.delivery.tally).toMatchObject({ delivered: 200, writes: 200 });
  });

  it("joins what becomes durable in the middle of a pass to the rest of it", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const sinks = subscribers(200, "A");
    await world.publishMany(1);
    const early = sinks.filter(({ writes }) => writes === 1).length;
    await world.publishMany(1);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    expect(seqsOf(sinks)).toEqual(sinks.map(() => [1, 2]));
    expect(writesOf(sinks), "one write each, and one more for those who were written before").toBeLessThan(400);
    expect(writesOf(sinks)).toBeGreaterThanOrEqual(200 + early);
    expect(world.delivery.tally.delivered).toBe(400);
  });

  it("lets a small lane have its turn in the middle of a large one", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const large = subscribers(200, "A");
    await world.publishMany(1);
    const [small] = subscribers(1, "B") as readonly [RecordingSink];
    await world.publish([["B", "c-1"]]);
    expect(await until(() => small.seqs.length === 1)).toBe(true);
    expect(writesOf(large)).toBeLessThan(200);
  });

  it("writes a ping, a reply and a goodbye behind what the connection has not been given yet", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const members = Array.from({ length: 200 }, () => world.subscriber({ A: null }));
    await world.publishMany(2);
    const [pinged, replied, changed] = members.filter(({ sink }) => sink.writes === 0);
    if (pinged === undefined || replied === undefined || changed === undefined) throw new Error("all were written");
    world.delivery.ping(pinged.consumer, (seq) => ({ type: "ping", timestamp: "", seq }));
    world.delivery.reply(replied.consumer, { type: "error", id: "1", code: "RATE_LIMITED", message: "" });
    world.delivery.replay(changed.consumer, changed.consumer.set, 0, { id: "again" });
    expect(pinged.sink.story).toEqual(["event×2", "ping"]);
    expect(pinged.sink.frames.at(-1)).toMatchObject({ seq: 2 });
    expect(replied.sink.story).toEqual(["event×2", "error"]);
    expect(changed.sink.story).toEqual(["event×2"]);
    expect(await until(() => world.delivery.isFlushed && changed.consumer.isLevel)).toBe(true);
    expect(changed.sink.story).toEqual(["event×4", "live"]);
    await world.publishMany(1);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    expect([pinged.sink.seqs, changed.sink.seqs]).toEqual([
      [1, 2, 3],
      [1, 2, 1, 2, 3],
    ]);
  });

  it("tells of each consumer what it was given so far, in the middle of a pass too", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const members = Array.from({ length: 200 }, () => world.subscriber({ A: null }));
    await world.publishMany(3);
    for (const { consumer, sink } of members) {
      const bytes = sink.frames.reduce((sum, frame) => sum + frame.bytes, 0);
      const metrics = world.delivery.metricsOf(consumer);
      expect(metrics).toMatchObject({ messagesSent: sink.seqs.length, bytesSent: bytes });
      expect(metrics.lastSendTimeMs === null).toBe(sink.writes === 0);
    }
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    for (const { consumer } of members) expect(world.delivery.metricsOf(consumer).messagesSent).toBe(3);
  });

  it("notes on a lane when its members were written last", async () => {
    world = new DeliveryWorld();
    const { consumer } = world.subscriber({ A: null });
    const { clock } = world;
    expect(consumer.lane?.totals.writtenAtMs).toBe(0);
    for (const elapsedMs of [20, 5]) {
      clock.advance(elapsedMs);
      await world.publishMany(1);
      expect(consumer.lane?.totals.writtenAtMs).toBe(clock.now());
    }
    const writtenAtMs = clock.now();
    clock.advance(7);
    expect(consumer.account.lastSendAtMs).toBe(writtenAtMs);
  });

  it("tells of one that blocks when it was written and how late, whether in its turn or before it", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const members = Array.from({ length: 200 }, () => world.subscriber({ A: null }));
    for (const { sink } of members) sink.limit(1);
    await world.publishMany(1);
    const [early] = members.filter(({ sink }) => sink.writes === 1);
    const [late] = members.filter(({ sink }) => sink.writes === 0);
    if (early === undefined || late === undefined) throw new Error("the pass was not cut");
    world.delivery.reply(late.consumer, { type: "error", id: "1", code: "RATE_LIMITED", message: "" });
    for (const { consumer, sink } of [early, late]) {
      expect([sink.story, consumer.isLevel]).toEqual([["event×1"], false]);
      const { lastSendTimeMs, averageLatencyMs } = world.delivery.metricsOf(consumer);
      expect(lastSendTimeMs).not.toBeNull();
      expect(averageLatencyMs).toBeGreaterThan(0);
    }
  });

  it("goes on when those whose turn is to come have left", async () => {
    world = new DeliveryWorld({ msPerLook: 2 });
    const members = Array.from({ length: 200 }, () => world.subscriber({ A: null }));
    await world.publishMany(1);
    for (const { consumer, sink } of members) if (sink.writes === 0) world.delivery.remove(consumer);
    await turns(2);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    await world.publishMany(1);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    for (const { sink } of members) expect([[], [1, 2]]).toContainEqual(sink.seqs);
  });
});
