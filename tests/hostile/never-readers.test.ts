// Subscribers that never read: the process keeps its memory, whatever the kernel has taken, and others get every event.
// For the long form with 9,000 see fixtures/with-small-kernel-buffers.sh.
import { setTimeout as pause } from "node:timers/promises";
import { frameBytes, mint, numberedEvents, publish, RawClient, RawSocket } from "@sluice/testkit";
import { describe, expect, it } from "vitest";
import { watchGrowth } from "./growth.js";
import { patience, report, scaled } from "./scale.js";
import { spawnedDoors, type SpawnedDoor } from "./spawned-doors.js";

const token = mint({ sub: "never-reader" });
const longMs = 300_000;
const subscription = frameBytes({ payload: '{"type":"subscribe","events":["GPU_UPDATE"]}' });
const connectingAtOnce = 200;
const publishesMax = 50;

/** Subscribes, and from then on reads nothing. */
async function neverReader(url: string): Promise<RawSocket> {
  const raw = await RawSocket.upgraded(url, { token });
  raw.send(subscription);
  while (!(await raw.frame(60_000)).payload.toString().startsWith('{"type":"subscribed"')) continue;
  raw.socket.pause();
  return raw;
}

async function neverReaders(url: string, count: number): Promise<RawSocket[]> {
  const readers: RawSocket[] = [];
  while (readers.length < count) {
    const batch = Math.min(connectingAtOnce, count - readers.length);
    readers.push(...(await Promise.all(Array.from({ length: batch }, () => neverReader(url)))));
  }
  return readers;
}

/** Publishes at a rate, whatever the answers take, for a time. Returns how many events. */
async function publishFor(door: SpawnedDoor, perSecond: number, seconds: number): Promise<number> {
  const batchesPerSecond = Math.min(perSecond, 20);
  const batch = perSecond / batchesPerSecond;
  const startMs = performance.now();
  const underWay = new Set<Promise<unknown>>();
  let count = 0;
  while (count < perSecond * seconds) {
    const one = publish(door.serviceUrl, numberedEvents(batch, count)).finally(() => underWay.delete(one));
    underWay.add(one);
    if (underWay.size >= publishesMax) await Promise.race(underWay);
    count += batch;
    await pause(Math.max(0, startMs + (count / perSecond) * 1000 - performance.now()));
  }
  await Promise.all(underWay);
  return count;
}

describe.each(spawnedDoors)("on the %s", (name, open) => {
  const cases = [
    { count: scaled(50, 20), perSecond: scaled(5000, 2000), seconds: scaled(12, 2), growthMaxMib: 60 },
    { count: scaled(9000, 200), perSecond: 100, seconds: scaled(60, 2), totalMaxMib: 400 },
  ];
  it.each(cases)(
    "$count that never read $perSecond events a second",
    async ({ count, perSecond, seconds, growthMaxMib, totalMaxMib }) => {
      await using door = await open();
      await using reader = await RawClient.connect(door.url, {
        token: mint({ sub: "reader" }),
        query: "policy=replay",
      });
      await reader.subscribe(["GPU_UPDATE"]);
      const readers = await neverReaders(door.url, count);
      using growth = watchGrowth(door);
      let received = 0;
      const reading = (async () => {
        for (;;) {
          const frame = await reader.take(longMs);
          if (frame.type === "event") received += 1;
        }
      })().catch(() => {});
      const published = await publishFor(door, perSecond, seconds);
      const deadlineMs = performance.now() + 10_000 * patience;
      while (received < published && performance.now() < deadlineMs) await pause(20);
      const resident = door.residentBytes();
      const all = { door: resident.door / 1_048_576, behind: resident.behind / 1_048_576 };
      report(`${name}, ${count} non-readers, ${perSecond} events/s for ${seconds} s`, {
        published,
        received,
        "growth of the door MiB": growth.door,
        "of the service behind": growth.behind,
        "resident door MiB": all.door,
        "resident behind": all.behind,
      });
      expect(received, "events that a reader got").toBe(published);
      if (growthMaxMib !== undefined) expect(Math.max(growth.door, growth.behind)).toBeLessThan(growthMaxMib);
      if (totalMaxMib !== undefined) expect(Math.max(all.door, all.behind)).toBeLessThan(totalMaxMib);
      for (const { socket } of readers) socket.destroy();
      await reader[Symbol.asyncDispose]();
      await reading;
    },
    longMs,
  );
});
