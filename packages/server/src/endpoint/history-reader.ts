// Reads history out of the log: a page at once, or lines for as long as somebody takes them. Bounded in the memory of
// all that is under way together, and in its share of the event loop.

import type { GapFrame } from "@sluice/protocol";
import { LogError } from "../log/event-log.js";
import type { EventLog, EventMatch, EventRecord, LogPage, ReadOptions } from "../log/event-log.js";
import { encodeEvents } from "./encode-events.js";
import { historyGap, historyLimitDefault, type HistoryQuery } from "./history-query.js";
import { HistoryTurns } from "./history-turns.js";

/** Bytes of a page's events: a page ends early rather than being very large. */
const pageBytesMax = 4 * 1024 * 1024;
/** Bytes of all pages that are being read or sent; past it they end after one event. */
const heldBytesMax = 64 * 1024 * 1024;
/** Records looked at for one page; past it the page is handed out as it is, with `next` to go on from. */
const scannedMax = 250_000;
/** Bounds of one read for a stream. */
const streamEvents = 1024;
const streamBytes = 128 * 1024;
/** How long a page waits for a log that is out of reach, ms. */
const waitMs = 10_000;

/** A page of history, encoded. */
export interface HistoryPage {
  readonly json: Buffer;
  /** Gives back its memory; call once, when it has been sent or nobody wants it any more. */
  readonly release: () => void;
}

export class HistoryReader {
  readonly #log: EventLog;
  readonly #turns = new HistoryTurns();
  #heldBytes = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Bytes of events in pages that were not released yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @throws {LogError} as `EventLog.read` */
  async page(match: EventMatch, query: HistoryQuery): Promise<HistoryPage> {
    const records: EventRecord[] = [];
    let bytes = 0;
    try {
      const { after, gap } = await this.#collect(match, query, (record) => {
        records.push(record);
        bytes += record.fields.length;
        this.#heldBytes += record.fields.length;
      });
      const next = after < query.until ? after : null;
      const head = JSON.stringify({ epoch: this.#log.epoch, next, ...(gap === undefined ? {} : { gap }) });
      const events = encodeEvents(records, ",");
      const json = Buffer.concat([
        Buffer.from(`${head.slice(0, -1)},"events":[`),
        events.subarray(0, Math.max(0, events.length - 1)),
        Buffer.from("]}"),
      ]);
      return { json, release: () => (this.#heldBytes -= bytes) };
    } catch (error) {
      this.#heldBytes -= bytes;
      throw error;
    }
  }

  /** Gives `take` what matches until a bound is met. */
  async #collect(
    match: EventMatch,
    { since, until, limit = historyLimitDefault, lost }: HistoryQuery,
    take: (record: EventRecord) => void,
  ): Promise<{ after: number; gap: GapFrame | undefined }> {
    let gap = lost;
    let after = since;
    let left = limit;
    let room = pageBytesMax;
    while (left > 0 && room > 0 && after < until && after - since < scannedMax) {
      await this.#turns.next();
      // The first event of a page always fits.
      const bytesMax = Math.max(1, Math.min(room, heldBytesMax - this.#heldBytes));
      const page = await this.#read(after, { until, match, limit: left, bytesMax, waitMs });
      const missing = missingBefore(page, after, until);
      // The rest of a page that retention has overtaken is the next page's matter, which then tells of the hole.
      if (missing !== undefined && after > since) break;
      gap ??= missing;
      for (const record of page.records) {
        take(record);
        room -= record.fields.length;
      }
      left -= page.records.length;
      after = page.scannedTo;
      if (this.#heldBytes >= heldBytesMax) break;
    }
    return { after, gap };
  }

  /** As the log reads; what is damaged is an empty page that begins behind it, as if retention had taken it. */
  async #read(after: number, options: ReadOptions): Promise<LogPage> {
    try {
      return await this.#log.read(after, options);
    } catch (error) {
      if (!(error instanceof LogError) || error.seqs === undefined) throw error;
      const { last } = error.seqs;
      return { records: [], scannedTo: last, oldest: last + 1, head: this.#log.head };
    }
  }

  /** NDJSON, read only as fast as it is taken; gaps stand where events are missing. @throws {LogError} */
  async *lines(match: EventMatch, query: HistoryQuery): AsyncGenerator<Buffer> {
    if (query.lost !== undefined) yield encodeLine(query.lost);
    let after = query.since;
    let left = query.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0 && after < query.until) {
      await this.#turns.next();
      const limit = Math.min(streamEvents, left);
      const page = await this.#read(after, { until: query.until, match, limit, bytesMax: streamBytes });
      const missing = missingBefore(page, after, query.until);
      if (missing !== undefined) yield encodeLine(missing);
      if (page.records.length > 0) yield encodeEvents(page.records, "\n");
      left -= page.records.length;
      after = page.scannedTo;
    }
  }
}

function missingBefore({ oldest }: LogPage, after: number, until: number): GapFrame | undefined {
  return after + 1 < oldest ? historyGap("retention", after + 1, Math.min(oldest - 1, until)) : undefined;
}

function encodeLine(frame: GapFrame): Buffer {
  return Buffer.from(`${JSON.stringify(frame)}\n`);
}
