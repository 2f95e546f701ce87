// A body in hundreds of thousands of chunks of one byte: it costs what is in it, and not an object a chunk.
import { publisherToken, RawSocket, within } from "@sluice/testkit";
import { describe, expect, it } from "vitest";
import { watchGrowth } from "./growth.js";
import { report, scaled } from "./scale.js";
import { spawnedDoors } from "./spawned-doors.js";

const chunks = scaled(2_000_000, 250_000);
const chunksAtOnce = 10_000;
const growthMaxMib = 56;
const event = '{"event_type":"A","payload":1}';
const head = [
  "POST /api/v1/events HTTP/1.1",
  "Host: a",
  `Authorization: Bearer ${publisherToken()}`,
  "Content-Type: application/json",
  "Transfer-Encoding: chunked",
].join("\r\n");

const chunksOf = (text: string): string => text.replaceAll(/[^]/g, "1\r\n$&\r\n");

describe.each(spawnedDoors)("on the %s", (name, open) => {
  it(`${chunks} chunks of one byte are one event, and no memory`, async () => {
    await using door = await open();
    await using raw = await RawSocket.connect(door.url);
    using growth = watchGrowth(door);
    const spaces = Buffer.from(chunksOf(" ".repeat(chunksAtOnce)));
    raw.send(`${head}\r\n\r\n`);
    for (let sent = 0; sent < chunks; sent += chunksAtOnce) {
      if (raw.socket.write(spaces)) continue;
      const drained = new Promise((resolve) => raw.socket.once("drain", resolve));
      await within("the chunks to be taken", Promise.race([drained, raw.closed]), 60_000);
    }
    raw.send(`${chunksOf(event)}0\r\n\r\n`);
    const answer = await raw.head(60_000);
    report(`${name}, ${chunks} chunks`, {
      "growth of the door MiB": growth.door,
      "of the service behind": growth.behind,
    });
    expect([answer.status, answer.body]).toEqual([202, expect.stringContaining('"accepted":1')]);
    expect(Math.max(growth.door, growth.behind)).toBeLessThan(growthMaxMib);
  }, 120_000);
});
