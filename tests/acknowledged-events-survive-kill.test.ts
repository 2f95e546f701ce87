// Invariant 1: an acknowledged publish survives `kill -9` of the process, at whatever moment it comes.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  spawnService,
  type EventFrame,
  type Service,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const kills = 4;
const publishers = 6;
const batchEvents = 40;
/** Batches acknowledged in a run before it is killed: each kill comes at another point of the log's life. */
const batchesBeforeKill = [5, 60, 25, 130];

interface Acknowledged {
  /** Seq by the number that the event was published with. */
  readonly seqs: Map<number, number>;
  next: number;
}

/** Publishes batch after batch until the service is gone, noting only what was acknowledged. */
async function publishUntilKilled(service: Service, acknowledged: Acknowledged, onBatch: () => void): Promise<void> {
  for (;;) {
    const first = acknowledged.next;
    acknowledged.next += batchEvents;
    try {
      const { first_seq: firstSeq } = await publish(service.url, numberedEvents(batchEvents, first));
      for (let index = 0; index < batchEvents; index += 1) acknowledged.seqs.set(first + index, firstSeq + index);
      onBatch();
    } catch {
      return;
    }
  }
}

async function runAndKill(logDir: string, acknowledged: Acknowledged, afterBatches: number): Promise<void> {
  await using service = await spawnService({ logDir });
  let batches = 0;
  const onBatch = (): void => {
    batches += 1;
    if (batches === afterBatches) service.kill("SIGKILL");
  };
  await Promise.all(Array.from({ length: publishers }, () => publishUntilKilled(service, acknowledged, onBatch)));
  expect(await service.exited).toEqual({ code: null, signal: "SIGKILL" });
}

async function readWholeLog(service: Service): Promise<EventFrame[]> {
  await using client = await RawClient.connect(service.url, { token: mint() });
  client.send({ type: "subscribe", id: "all", events: ["*"], since: 0 });
  const frames = await client.until("the end of the replay", ({ type }) => type === "live", 30_000);
  expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
  return frames.filter((frame): frame is EventFrame => frame.type === "event");
}

it(`every acknowledged event is in the log after each of ${kills} kills in mid-run`, async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-kill-"));
  const logDir = join(dir, "log");
  const acknowledged: Acknowledged = { seqs: new Map(), next: 0 };
  try {
    for (const afterBatches of batchesBeforeKill) {
      await runAndKill(logDir, acknowledged, afterBatches);
      await using service = await spawnService({ logDir });
      const stored = await readWholeLog(service);
      const seqByNumber = new Map(stored.map((event) => [numberOf(event), event.seq]));
      expect(seqByNumber.size, "no event is there twice").toBe(stored.length);
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
      const lost = [...acknowledged.seqs].filter(([number, seq]) => seqByNumber.get(number) !== seq);
      expect(lost, "acknowledged, and not where the acknowledgement said").toEqual([]);
    }
    expect(acknowledged.seqs.size).toBeGreaterThan(batchEvents * 200);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
