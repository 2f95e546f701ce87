// The log read alone, from its beginning to its head and page by page, as delivery reads it for a consumer that is
// behind: what catching up can't be faster than. Forked by `PinnedChild`; never run by hand.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { settingsWith, systemClock } from "@sluice/runtime";
import { openLog } from "@sluice/server";
import { EventSource } from "./event-source.js";

export interface LogReaderOptions {
  /** Events to store, then to read. */
  readonly stored: number;
}

export interface LogReaderReport {
  readonly eventsPerS: number;
  readonly pages: number;
}

const appendEvents = 5000;
const pageEvents = 512;
const pageBytes = 256 * 1024;

const { stored } = JSON.parse(process.argv[2] ?? "{}") as LogReaderOptions;
const dir = await mkdtemp(join(tmpdir(), "sluice-bench-"));
const settings = settingsWith({ log: { dir, retention: { max_events: stored } } });
const onError = (error: unknown): void => {
  throw new Error("the log has a fault", { cause: error });
};
const log = await openLog({ settings, clock: systemClock, onError, onCommit: () => undefined });
const source = new EventSource({ source: { perSecond: null }, publish: () => undefined });
while (log.head < stored) {
  const drafts = source.events(appendEvents).map(({ event_type: eventType, cluster_id: clusterId, payload }) => {
    const eventId = crypto.randomUUID();
    const timestamp = new Date().toISOString();
    const members = JSON.stringify({
      event_id: eventId,
      event_type: eventType,
      cluster_id: clusterId,
      timestamp,
      payload,
    });
    return { eventId, eventType, clusterId, fields: Buffer.from(members.slice(1, -1)) };
  });
  await log.append(drafts);
}

async function readAll(): Promise<LogReaderReport> {
  const startMs = performance.now();
  let pages = 0;
  let events = 0;
  for (let after = 0; after < stored; pages += 1) {
    const page = await log.read(after, { limit: pageEvents, bytesMax: pageBytes });
    events += page.records.length;
    after = page.scannedTo;
  }
  return { eventsPerS: events / ((performance.now() - startMs) / 1000), pages };
}

process.on("message", () => void readAll().then((report) => process.send?.(report)));
process.on("disconnect", () => {
  void log.close().then(async () => {
    await rm(dir, { recursive: true, force: true });
    process.exit(0);
  });
});
process.send?.({ eventsPerS: 0, pages: 0 } satisfies LogReaderReport);
