// A message in thousands of fragments of one byte: refused at the seventeenth, and no memory for the rest.
import { frameBytes, mint, opcodes, RawSocket, within } from "@sluice/testkit";
import { describe, expect, it } from "vitest";
import { watchGrowth } from "./growth.js";
import { mib, patience, report, scaled } from "./scale.js";
import { spawnedDoors } from "./spawned-doors.js";

const clients = scaled(200, 50);
const fragments = scaled(16_000, 4_000);
const token = mint({ sub: "crumbler" });
const growthMaxMib = 32;
const closeMsMax = 1_000;

const crumbs = Buffer.concat([
  frameBytes({ fin: false, payload: "{" }),
  ...Array.from({ length: fragments - 1 }, () =>
    frameBytes({ opcode: opcodes.continuation, fin: false, payload: " " }),
  ),
]);

describe.each(spawnedDoors)("on the %s", (name, open) => {
  it(`${clients} clients with ${fragments} fragments each are closed with 1008`, async () => {
    await using door = await open();
    const raws = await Promise.all(Array.from({ length: clients }, () => RawSocket.upgraded(door.url, { token })));
    using growth = watchGrowth(door);
    const closedMs = await Promise.all(
      raws.map(async (raw) => {
        const startMs = performance.now();
        raw.send(crumbs);
        expect((await raw.closeFrame(30_000)).code).toBe(1008);
        return performance.now() - startMs;
      }),
    );
    for (const raw of raws) raw.socket.end();
    await Promise.all(raws.map((raw) => within("the connection to end", raw.closed, 30_000)));
    const lastMs = Math.max(...closedMs);
    const residentMib = door.residentBytes().door / mib;
    report(`${name}, ${clients} x ${fragments} fragments`, {
      "last closed after ms": lastMs,
      "growth of the door MiB": growth.door,
      "of the service behind": growth.behind,
      "resident MiB": residentMib,
    });
    expect(door.isUp()).toBe(true);
    expect(lastMs).toBeLessThan(closeMsMax * patience);
    expect(Math.max(growth.door, growth.behind)).toBeLessThan(growthMaxMib);
  }, 120_000);
});
