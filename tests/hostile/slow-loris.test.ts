// Handshakes and bodies that drip in: given up in time, while others' handshakes are as fast as ever.
import { setTimeout as pause } from "node:timers/promises";
import { mint, publisherToken, RawSocket, upgradeRequest, within } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHealthyClient } from "./healthy-client.js";
import { patience, report, scaled } from "./scale.js";
import { spawnedDoors, type SpawnedDoor } from "./spawned-doors.js";

const count = scaled(1_000, 50);
const handshakeMs = scaled(5_000, 500);
/** From the first one's arrival on; the last comes a second later. */
const closedMsMax = handshakeMs + 5_000;
const dripMs = 100;
const warmMs = scaled(5_000, 500);
/** Groups in which they come. */
const arrivals = 50;
const p99MsMax = 50;
const handshake = upgradeRequest({ token: mint() });

/** What is dripped: the whole of it would take hours. */
const drips: readonly (readonly [string, (sent: number) => string])[] = [
  ["nothing at all", () => ""],
  ["a head, byte by byte", (sent) => handshake[sent] ?? "x"],
  ["headers without end", (sent) => (sent === 0 ? "GET /ws HTTP/1.1\r\n" : `X-${sent}: y\r\n`)],
  ["empty lines", () => "\r\n"],
];

/** All of them within a second: at once it would measure how fast sockets are made, and heads read. */
async function arrive(url: string, head = ""): Promise<RawSocket[]> {
  const arriveOne = async (): Promise<RawSocket> => {
    const raw = await RawSocket.connect(url);
    if (head !== "") raw.send(head);
    return raw;
  };
  const raws: Promise<RawSocket>[] = [];
  while (raws.length < count) {
    raws.push(...Array.from({ length: count / arrivals }, arriveOne));
    await pause(1_000 / arrivals);
  }
  return Promise.all(raws);
}

describe.each(spawnedDoors)("on the %s", (name, open) => {
  let door: SpawnedDoor;
  beforeAll(async () => {
    door = await open({ "limits.handshake_ms": handshakeMs });
  });
  afterAll(async () => {
    await door[Symbol.asyncDispose]();
  });

  it.each(drips)(
    `${count} that send %s are gone in time`,
    async (what, next) => {
      await using door = await open({ "limits.handshake_ms": handshakeMs });
      await using healthy = startHealthyClient(door.url, "handshake");
      // A door that has just been opened is slow with anything at first.
      await pause(warmMs);
      await healthy.report();
      const startMs = performance.now();
      const raws = await arrive(door.url);
      const goneMs: number[] = [];
      const gone = Promise.all(raws.map((raw) => raw.closed.then(() => goneMs.push(performance.now() - startMs))));
      let sent = 0;
      const drip = setInterval(() => {
        for (const raw of raws) if (raw.socket.writable) raw.send(next(sent));
        sent += 1;
      }, dripMs);
      await within("all of them to be gone", gone, closedMsMax * patience).finally(() => clearInterval(drip));
      const measured = await healthy.report();
      report(`${name}, ${count} that send ${what}`, {
        "first gone after ms": Math.min(...goneMs),
        "last gone": Math.max(...goneMs),
        "healthy handshakes": measured.count,
        failures: measured.failures,
        "p50 ms": measured.p50,
        "p99 ms": measured.p99,
      });
      expect(door.isUp()).toBe(true);
      expect(measured.failures).toBe(0);
      expect(Math.max(...goneMs)).toBeLessThan(closedMsMax * patience);
      expect(measured.p99).toBeLessThan(p99MsMax * patience * patience);
    },
    120_000,
  );

  it("a body that drips in holds up nobody", async () => {
    await using healthy = startHealthyClient(door.url, "command");
    await pause(500);
    const head = `POST /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${publisherToken()}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n`;
    const raws = await arrive(door.url, head);
    for (let sent = 0; sent < scaled(20, 5); sent += 1) {
      for (const raw of raws) raw.send("[");
      await pause(dripMs);
    }
    const measured = await healthy.report();
    report(`${name}, ${count} bodies that drip in`, { commands: measured.count, "p99 ms": measured.p99 });
    expect([door.isUp(), measured.failures]).toEqual([true, 0]);
    expect(measured.count).toBeGreaterThan(10);
    await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
  }, 120_000);
});
