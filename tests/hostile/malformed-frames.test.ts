// Malformed frames without end: no exit, no growth, and a client in order that notices nothing.
import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { frameBytes, mint, RawSocket, upgradeRequest } from "@sluice/testkit";
import { describe, expect, it } from "vitest";
import { brokenFrames } from "./framing-cases.js";
import { watchGrowth } from "./growth.js";
import { startHealthyClient } from "./healthy-client.js";
import { isLong, report, scaled } from "./scale.js";
import { spawnedDoors } from "./spawned-doors.js";

const framesEach = 100;
const connections = scaled(1_000_000, 10_000) / framesEach;
/** Connections a second: what is asked is what one door bears from a crowd, and not how it shares a processor. */
const perSecond = 100;
const baselineMs = scaled(10_000, 1_000);
const handshake = Buffer.from(upgradeRequest({ token: mint({ sub: "vandal" }) }));
const table = brokenFrames
  .flatMap(([, cases]) => cases.map(({ bytes }) => bytes))
  .filter(({ length }) => length < 2_000);

/** From the table, or such as only chance makes. */
function malformed(): Buffer {
  const chance = randomInt(4);
  if (chance === 0) return randomBytes(randomInt(2, 64));
  if (chance === 1)
    return frameBytes({ rsv: randomInt(1, 8), opcode: randomInt(16), payload: randomBytes(randomInt(64)) });
  return table[randomInt(table.length)] as Buffer;
}

/** Handshake and frames in one write, as an attacker would; resolves when the door has ended it. */
async function vandalize(url: string): Promise<void> {
  const raw = await RawSocket.connect(url);
  raw.send(Buffer.concat([handshake, ...Array.from({ length: framesEach }, malformed)]));
  await raw
    .head(30_000)
    .then(() => raw.closeFrame(30_000))
    .catch(() => {});
  if (randomInt(2) === 0) raw.reset();
  else raw.socket.end();
  await raw.closed;
}

describe.each(spawnedDoors)("on the %s", (name, open) => {
  it(`${connections * framesEach} malformed frames`, async () => {
    await using door = await open();
    await using healthy = startHealthyClient(door.url, "command");
    // What any load brings at first, the heap's growth with it, is not what is asked for.
    for (let warm = 0; warm < scaled(500, 100); warm += 1) await vandalize(door.url);
    await healthy.report();
    await pause(baselineMs);
    const before = await healthy.report();
    using growth = watchGrowth(door);
    const startMs = performance.now();
    const running = new Set<Promise<void>>();
    for (let n = 0; n < connections; n += 1) {
      const one = vandalize(door.url).finally(() => running.delete(one));
      running.add(one);
      await pause(Math.max(0, startMs + (n / perSecond) * 1_000 - performance.now()));
    }
    await Promise.all(running);
    const tookS = (performance.now() - startMs) / 1_000;
    const after = await healthy.report();
    report(`${name}, ${connections * framesEach} malformed frames in ${connections} connections`, {
      "took s": tookS,
      "growth of the door MiB": growth.door,
      "of the service behind": growth.behind,
      "p99 ms before": before.p99,
      "p99 ms meanwhile": after.p99,
      "p50 before": before.p50,
      "p50 meanwhile": after.p50,
      "max meanwhile": after.max,
    });
    expect([door.isUp(), after.failures]).toEqual([true, 0]);
    expect(Math.max(growth.door, growth.behind)).toBeLessThan(64);
    if (isLong) expect(after.p99).toBeLessThan(before.p99 * 1.5);
  }, 600_000);
});
