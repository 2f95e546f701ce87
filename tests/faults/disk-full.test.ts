// The disk of the log fills up in the middle of a load: publishers are told so, clearly and each time, and nothing that
// was refused is stored; readers go on; and with room again all goes on by itself.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  eventually,
  mint,
  mountSmall,
  publisherToken,
  request,
  ResumingClient,
  spawnService,
  toNdjson,
  within,
  type ApiResponse,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const publishers = 3;
const batchEvents = 20;
const payloadBytes = 1_000;
const ballastBytes = 6 * 1_048_576;
/** Publishes refused one after the other until the disk counts as full for good. */
const refusalsWanted = 10;
const acceptedAfterwards = 10;

interface Load {
  readonly url: string;
  /** By name of the batch: its first seq. */
  readonly accepted: Map<string, number>;
  readonly refused: ApiResponse[];
  readonly errors: unknown[];
  isOver: boolean;
}

async function publishUntilOver(load: Load, publisher: number): Promise<void> {
  const token = publisherToken();
  for (let n = 0; !load.isOver; n += 1) {
    const name = `${publisher}.${n}`;
    const events = Array.from({ length: batchEvents }, (_, index) => ({
      event_type: "E",
      event_id: `${name}/${index}`,
      payload: name.padEnd(payloadBytes, "x"),
    }));
    try {
      const answer = await request(load.url, "/api/v1/events", {
        method: "POST",
        token,
        headers: { "content-type": "application/x-ndjson" },
        body: toNdjson(events),
      });
      if (answer.status === 202) load.accepted.set(name, (answer.json as { first_seq: number }).first_seq);
      else load.refused.push(answer);
    } catch (error) {
      load.errors.push(error);
    }
  }
}

it("a full disk: 507 for publishers, readers go on, and all goes on when there is room", async ({ skip }) => {
  const made = await mountSmall("16m");
  if ("refusal" in made) return skip(made.refusal);
  await using disk = made;
  const ballast = join(disk.dir, "ballast");
  await writeFile(ballast, Buffer.alloc(ballastBytes));
  const logDir = join(disk.dir, "log");
  await using service = await spawnService({ logDir });
  await using reader = new ResumingClient({ url: () => service.url, token: mint(), events: ["*"] });
  const load: Load = { url: service.url, accepted: new Map(), refused: [], errors: [], isOver: false };
  const publishing = Promise.all(Array.from({ length: publishers }, (_, index) => publishUntilOver(load, index)));
  const said = (): string =>
    `${load.accepted.size} accepted, ${load.refused.length} refused, ${load.errors.length} errors`;
  try {
    await eventually("publishes to be refused", () => load.refused.length >= refusalsWanted || undefined, 30_000, said);
    expect(load.accepted.size).toBeGreaterThan(0);
    const acceptedWhenFull = load.accepted.size;
    const headWhenFull = Math.max(...load.accepted.values()) + batchEvents - 1;
    await within("the reader to have all that is there", reader.reached(headWhenFull));
    await using late = new ResumingClient({ url: () => service.url, token: mint(), events: ["*"] });
    await within("a reader of the history", late.reached(headWhenFull));
    expect((await request(service.url, "/livez")).status).toBe(200);

    await rm(ballast);
    const wanted = acceptedWhenFull + acceptedAfterwards;
    await eventually("publishes to be accepted again", () => load.accepted.size >= wanted || undefined, 30_000, said);
  } finally {
    load.isOver = true;
    await publishing;
  }
  expect(load.errors).toEqual([]);
  for (const { status, headers, json } of load.refused) {
    expect(status).toBe(507);
    expect(headers.get("content-type")).toBe("application/problem+json");
    expect(json).toMatchObject({ title: "Log full", status: 507 });
  }
  const last = Math.max(...load.accepted.values()) + batchEvents - 1;
  await within("the reader to have everything", reader.reached(last));
  expect(reader.gaps).toEqual([]);
  expect(reader.connections, "on one connection through it all").toBe(1);
  expect(reader.events.map(({ seq }) => seq)).toEqual(reader.events.map((_, index) => index + 1));
  const stored = new Set(reader.events.map((event) => event.event_id.split("/")[0]));
  expect(stored, "what was refused is not stored, what was accepted is").toEqual(new Set(load.accepted.keys()));
  return undefined;
});
