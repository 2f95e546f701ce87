import { afterEach, describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import { DeliveryWorld, until, type WorldOptions } from "./contract/delivery-world.js";

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

describe("Feed", () => {
  it("routes what has become durable before the append resolves", async () => {
    const world = worldOf();
    const { sink } = world.subscriber({ A: null });
    await world.publishMany(3);
    expect(world.delivery.routedSeq).toBe(3);
    expect(sink.seqs).toEqual([1, 2, 3]);
    expect(sink.writes, "one write for one turn").toBe(1);
  });

  it("begins where the log stands", async () => {
    const world = worldOf();
    await world.publishMany(5);
    world.restart();
    expect([world.delivery.routedSeq, world.delivery.routed]).toEqual([5, 0]);
    const { sink } = world.subscriber({ A: null });
    await world.publishMany(1);
    expect([sink.seqs, world.delivery.routed]).toEqual([[6], 1]);
  });

  it("routes no more while 120 KiB of a lane are still to be written, and with them a write is bounded", async () => {
    const world = worldOf();
    const { sink } = world.subscriber({ A: null });
    await world.publishMany(100, 3000);
    expect(await until(() => world.delivery.isFlushed)).toBe(true);
    const bytes = sink.frames.reduce((sum, frame) => sum + frame.bytes, 0);
    expect(sink.writes).toBe(Math.ceil(bytes / (120 * 1024 + 3000)));
    expect(sink.seqs).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it("gives sockets and timers their turn in the middle of a large publish, and goes on in order", async () => {
    const world = worldOf({ msPerLook: 2 });
    const { sink } = world.subscriber({ A: null });
    await world.publishMany(300);
    const routedAtOnce = world.delivery.routedSeq;
    expect(routedAtOnce).toBeGreaterThan(0);
    expect(routedAtOnce).toBeLessThan(300);
    expect(sink.seqs.length, "what is routed is flushed with it").toBe(routedAtOnce);
    await world.publishMany(10);
    expect(await until(() => world.delivery.routedSeq === 310)).toBe(true);
    expect(sink.seqs).toEqual(Array.from({ length: 310 }, (_, index) => index + 1));
  });

  it("has everything durable before a goodbye, however much of it wasn't routed yet", async () => {
    const world = worldOf({ msPerLook: 2 });
    const { consumer, sink } = world.subscriber({ A: null });
    await world.publishMany(300);
    expect(world.delivery.routedSeq).toBeLessThan(300);
    world.delivery.flushAll();
    world.delivery.reply(consumer, { type: "disconnect", reason: "server_shutdown", reconnect_after_ms: 1 });
    expect(sink.story).toEqual(["event×300", "disconnect"]);
  });

  it("lets publishers wait while more than 32 MiB are durable and not routed", async () => {
    const world = worldOf({ msPerLook: 2 });
    expect(world.delivery.room()).toBeUndefined();
    const fields = Buffer.alloc(1024 * 1024);
    await world.log.append(Array.from({ length: 100 }, (_, index) => draftOf(index, { fields })));
    const waits = [world.delivery.room(), world.delivery.room()];
    expect(waits.every((wait) => wait !== undefined)).toBe(true);
    for (const wait of waits) await wait;
    expect(world.delivery.routedSeq).toBeGreaterThanOrEqual(68);
    expect(await until(() => world.delivery.room() === undefined)).toBe(true);
  });

  it("routes what is left when it stops, follows no more, and lets everybody in", async () => {
    const world = worldOf({ msPerLook: 2 });
    const { sink } = world.subscriber({ A: null });
    const fields = Buffer.alloc(1024 * 1024);
    await world.log.append(
      Array.from({ length: 100 }, (_, index) => draftOf(`b-${index}`, { fields, eventType: "B" })),
    );
    await world.publishMany(40);
    const wait = world.delivery.room();
    world.delivery.stop();
    await wait;
    expect([world.delivery.routedSeq, sink.seqs.length]).toEqual([140, 40]);
    await world.publishMany(1);
    expect(world.delivery.routedSeq).toBe(140);
  });

  it("gives an event to a lane once, though several of its subscriptions match", async () => {
    const world = worldOf();
    const { sink } = world.subscriber({ A: null, "A*": null, "*": ["c-1", "c-*"] });
    await world.publish([["A", "c-1"]]);
    expect(sink.seqs).toEqual([1]);
  });
});
