// Moves a log from one machine's disk into NATS JetStream: every event with its seq, its id and its bytes.
import { createHash, type Hash } from "node:crypto";
import type { Clock, Settings } from "@sluice/runtime";
import { openEmbeddedLog } from "./log/embedded-log.js";
import type { EventLog, EventRecord } from "./log/event-log.js";
import { connectNats } from "./log/jetstream/connect-nats.js";
import { openJetStreamLog } from "./log/jetstream/jetstream-log.js";
import { StreamImport } from "./log/jetstream/stream-import.js";
import type { LogOptions } from "./log/log-options.js";

/** Records of one page, and pages that are on their way at once. */
const pageRecords = 1000;
const pageBytes = 1024 * 1024;
const pagesMax = 4;
const duplicateWindowFactor = 2;

/** Where a copy stands. */
export interface CopyProgress {
  readonly phase: "copying" | "verifying";
  /** Events of the source that are done in this phase, those of an earlier run of the copy among them. */
  readonly events: number;
  readonly total: number;
}

/** What a copy came to. */
export interface CopyReport {
  readonly epoch: string;
  readonly oldest: number;
  readonly head: number;
  /** Events that were in the stream already. */
  readonly resumedAfter: number;
  /** SHA-256 over seq, id, type, cluster and bytes of every event, of the source and of the stream; undefined unverified. */
  readonly checksum: string | undefined;
  readonly isEqual: boolean | undefined;
}

export interface CopyLogOptions {
  /** Directory of the embedded log; nobody else may have it open. Nothing in it is changed. */
  readonly dir: string;
  /** `nats.*` and `log.retention.*` of the nodes that will use the stream. */
  readonly settings: Pick<Settings, "log" | "nats">;
  readonly clock: Clock;
  /** Whether all of it is read back and compared. */
  readonly verify: boolean;
  readonly onProgress: (progress: CopyProgress) => void;
  /** Ends it after what is on its way; it can be gone on with. */
  readonly signal: AbortSignal;
}

/** Copies, and where it was interrupted goes on. @throws {LogError} of either engine; the signal's reason. */
export async function copyLog(options: CopyLogOptions): Promise<CopyReport> {
  const { settings, clock, dir } = options;
  const keepAll = { maxEvents: null, maxAgeMs: null, maxBytes: null };
  const plain: LogOptions = { clock, retention: keepAll, dedup: { windowMs: 0, maxIds: 0 } };
  const source = await openEmbeddedLog({ ...plain, dir });
  try {
    const nats = await connectNats(settings.nats, "sluice-log-copy");
    try {
      const { stream, prefix, replicas, storage, publish_retry_ms: retryMs } = settings.nats;
      const { max_events: maxEvents, max_age_ms: maxAgeMs, max_bytes: maxBytes } = settings.log.retention;
      const retention = { maxEvents, maxAgeMs, maxBytes };
      const duplicateWindowMs = Math.max(settings.log.dedup.window_ms, duplicateWindowFactor * retryMs);
      const wish = { name: stream, prefix, replicas, storage, retention, duplicateWindowMs };
      const target = await StreamImport.open({ nats, wish, source, clock, retryMs });
      await fill(source, target, options).finally(() => target.close());
      const { epoch, oldest, head } = source;
      const report = { epoch, oldest, head, resumedAfter: target.newest, checksum: undefined, isEqual: undefined };
      if (!options.verify) return report;
      const place = { nats, stream, prefix, replicas, storage, publishRetryMs: retryMs };
      const dedup = { windowMs: settings.log.dedup.window_ms, maxIds: 0 };
      const copy = await openJetStreamLog({ clock, retention, dedup, ...place });
      try {
        return { ...report, ...(await compare(source, copy, options)) };
      } finally {
        await copy.close();
      }
    } finally {
      await nats.close();
    }
  } finally {
    await source.close();
  }
}

async function fill(source: EventLog, target: StreamImport, { onProgress, signal }: CopyLogOptions): Promise<void> {
  const total = source.head - source.oldest + 1;
  const onItsWay: Promise<void>[] = [];
  for await (const records of pagesOf(source, target.newest)) {
    signal.throwIfAborted();
    const writing = target.write(records);
    // Its failure is met below, when its turn has come.
    writing.catch(() => {});
    onItsWay.push(writing);
    if (onItsWay.length >= pagesMax) await onItsWay.shift();
    onProgress({ phase: "copying", events: (records.at(-1)?.seq ?? 0) - source.oldest + 1, total });
  }
  await Promise.all(onItsWay);
}

async function compare(
  source: EventLog,
  copy: EventLog,
  { onProgress, signal }: CopyLogOptions,
): Promise<Pick<CopyReport, "checksum" | "isEqual">> {
  const total = source.head - source.oldest + 1;
  const digest = async (log: EventLog, isShown: boolean): Promise<string> => {
    const hash = createHash("sha256");
    for await (const records of pagesOf(log, source.oldest - 1, source.head)) {
      signal.throwIfAborted();
      for (const record of records) addTo(hash, record);
      const events = (records.at(-1)?.seq ?? 0) - source.oldest + 1;
      if (isShown) onProgress({ phase: "verifying", events, total });
    }
    return hash.digest("hex");
  };
  const [ours, theirs] = await Promise.all([digest(source, false), digest(copy, true)]);
  return { checksum: theirs, isEqual: ours === theirs };
}

function addTo(hash: Hash, { seq, eventId, eventType, clusterId, fields }: EventRecord): void {
  hash.update(JSON.stringify([seq, eventId, eventType, clusterId ?? null, fields.length])).update(fields);
}

/** All records after `after`. @throws where one can't be read: a copy with a hole would be another log. */
async function* pagesOf(log: EventLog, after: number, until = log.head): AsyncGenerator<readonly EventRecord[]> {
  for (let next = after; next < until;) {
    const { records, scannedTo } = await log.read(next, { limit: pageRecords, bytesMax: pageBytes, until });
    next = scannedTo;
    if (records.length > 0) yield records;
  }
}
