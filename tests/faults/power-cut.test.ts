// Invariant 1 against what `kill -9` can't show: an acknowledged publish is on the disk, and not only in the kernel's
// memory. The service writes to a disk of its own whose power is cut in one instant (see `CuttableDisk`), is killed, and
// is started again on what the disk holds then. Each life goes on from the cut before it. `SLUICE_POWER_CUTS=20` for the
// long form. The copy holds all that the file system has sent to the disk; a disk that drops or reorders writes which
// nobody asked it to keep yet is not tried.
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CuttableDisk, eventually, mint, publish, RawClient, spawnService, type Service } from "@sluice/testkit";
import { expect, it } from "vitest";

const cuts = Number(process.env["SLUICE_POWER_CUTS"] ?? 2);
const publishers = 4;
const batchEvents = 20;
/** Batches acknowledged in a life before its power may be cut, and then some time. */
const batchesMin = 20;
const lastMomentsMsMax = 300;

interface Batch {
  readonly name: string;
  readonly firstSeq: number;
}

const nameOf = (batch: string, index: number): string => `${batch}/${index}`;
/** Anybody can tell whether this is whole. */
const payloadOf = (name: string): string => `${name} `.repeat(1 + (name.length % 30));

/** Publishes batch after batch until the service is gone, noting what was acknowledged. */
async function publishUntilCut(service: Service, publisher: string, acknowledged: Batch[]): Promise<void> {
  for (let n = 0; ; n += 1) {
    const name = `${publisher}.${n}`;
    const events = Array.from({ length: batchEvents }, (_, index) => ({
      event_type: "E",
      event_id: nameOf(name, index),
      payload: payloadOf(nameOf(name, index)),
    }));
    try {
      const { first_seq: firstSeq } = await publish(service.url, events);
      acknowledged.push({ name, firstSeq });
    } catch {
      return;
    }
  }
}

/** Lets the service live, and cuts the power. Returns what was acknowledged before. */
async function liveUntilCut(disk: CuttableDisk, life: number): Promise<Batch[]> {
  await using service = await spawnService({ logDir: join(disk.dir, "log") });
  const acknowledged: Batch[] = [];
  const publishing = Array.from({ length: publishers }, (_, index) =>
    publishUntilCut(service, `${life}.${index}`, acknowledged),
  );
  await eventually("enough batches to be acknowledged", () => acknowledged.length >= batchesMin || undefined, 30_000);
  await pause(Math.random() * lastMomentsMsMax);
  const before = acknowledged.length;
  await disk.cutPower(() => {
    service.kill("SIGKILL");
    return service.exited;
  });
  await Promise.all(publishing);
  return acknowledged.slice(0, before);
}

/** By seq: the ids of all events that are there, after a look at each. */
async function readWholeLog(disk: CuttableDisk): Promise<Map<number, string>> {
  await using service = await spawnService({ logDir: join(disk.dir, "log") });
  await using client = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
  client.send({ type: "subscribe", id: "all", events: ["*"], since: 0 });
  const frames = await client.until("the end of the replay", ({ type }) => type === "live", 60_000);
  expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
  const ids = new Map<number, string>();
  for (const frame of frames) {
    if (frame.type !== "event") continue;
    const id = frame["event_id"] as string;
    if (frame["payload"] !== payloadOf(id)) expect.fail(`a torn record was served: ${JSON.stringify(frame)}`);
    ids.set(frame["seq"] as number, id);
  }
  return ids;
}

function expectWholeBatches(ids: ReadonlyMap<number, string>): void {
  const [...seqs] = ids.keys();
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
  expect(ids.size % batchEvents, "a publish is there as a whole or not at all").toBe(0);
  const torn = [...ids].filter(([seq, id]) => !id.endsWith(`/${(seq - 1) % batchEvents}`));
  expect(torn).toEqual([]);
}

it(
  `every acknowledged event is on the disk after each of ${cuts} power cuts under load`,
  { timeout: 60_000 + cuts * 20_000 },
  async ({ skip }) => {
    const made = await CuttableDisk.make();
    if ("refusal" in made) return skip(made.refusal);
    await using disk = made;
    const acknowledged: Batch[] = [];
    for (let life = 1; life <= cuts; life += 1) {
      acknowledged.push(...(await liveUntilCut(disk, life)));
      const ids = await readWholeLog(disk);
      expectWholeBatches(ids);
      const lost = acknowledged.filter(({ name, firstSeq }) => ids.get(firstSeq) !== nameOf(name, 0));
      expect(lost, `acknowledged, and not there after cut ${life}`).toEqual([]);
    }
    expect(await disk.faults()).toBeUndefined();
    process.stdout.write(
      `${cuts} power cuts: ${acknowledged.length * batchEvents} events acknowledged before them, 0 lost, 0 torn\n`,
    );
    return undefined;
  },
);
