// Records in this process's memory; gone with it.
import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LogPage, PageBounds, ReadOptions, TakeRecord } from "./event-log.js";
import type { RetentionLimits } from "./log-options.js";
import type { LogStore } from "./log-store.js";
import type { PackedRecord } from "./packed-event.js";
import { PageBuilder } from "./page-builder.js";
import { isExpired, oldestByCount, type Segment } from "./retention.js";

interface MemorySegment extends Segment {
  readonly records: readonly PackedRecord[];
}

/** Memory of a record beside its `fields`, bytes, about. */
const recordOverheadBytes = 256;

/** A store without a disk; one commit is one segment. */
export class MemoryStore implements LogStore {
  readonly epoch = randomUUID();
  head = 0;
  oldest = 1;
  bytes = 0;
  hasGarbage = false;
  readonly #limits: RetentionLimits;
  #segments: MemorySegment[] = [];

  constructor(limits: RetentionLimits) {
    this.#limits = limits;
  }

  async write(records: readonly PackedRecord[]): Promise<number> {
    // As a disk would: what is appended meanwhile joins the next commit, and a publisher in a loop starves nobody.
    await nextTurn();
    const [first, last] = [records[0], records.at(-1)];
    if (first === undefined || last === undefined) return 0;
    setScatteredApart(records);
    const bytes = records.reduce((sum, record) => sum + record.fieldsLength + recordOverheadBytes, 0);
    this.#segments.push({ firstSeq: first.seq, lastSeq: last.seq, bytes, appendedAtMs: first.appendedAtMs, records });
    this.head = last.seq;
    this.bytes += bytes;
    return bytes;
  }

  read(after: number, options: ReadOptions): LogPage {
    const page = new PageBuilder(after, options, this);
    this.#visitWanted(page, (record) => page.push(record));
    return page.build();
  }

  scan(after: number, options: ReadOptions, take: TakeRecord): PageBounds {
    const page = new PageBuilder(after, options, this);
    this.#visitWanted(page, ({ seq, event }) =>
      take(seq, event.eventType, event.clusterId, event.bytes, event.fieldsStart, event.end),
    );
    return page.bounds;
  }

  #visitWanted(page: PageBuilder, visit: (record: PackedRecord) => void): void {
    for (let index = this.#segmentOf(page.nextSeq); !page.isDone; index += 1) {
      const segment = this.#segments[index];
      if (segment === undefined) break;
      for (let at = page.nextSeq - segment.firstSeq; at < segment.records.length && !page.isDone; at += 1) {
        const record = segment.records[at] as PackedRecord;
        if (!page.wants(record.eventType, record.clusterId)) page.skip(record.seq);
        else if (page.admit(record.seq, record.fieldsLength)) visit(record);
      }
    }
  }

  retain(nowMs: number): boolean {
    this.oldest = oldestByCount(this.#limits, this.head, this.oldest);
    let gone = 0;
    for (const segment of this.#segments) {
      const isBelow = segment.lastSeq < this.oldest;
      if (!isBelow && !isExpired(this.#limits, segment, this.head, this.bytes, nowMs)) break;
      this.oldest = Math.max(this.oldest, segment.lastSeq + 1);
      this.bytes -= segment.bytes;
      gone += 1;
    }
    if (gone > 0) this.#segments = this.#segments.slice(gone);
    return false;
  }

  sweep(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#segments = [];
    return Promise.resolve();
  }

  /** Index of the segment that holds `seq`, by bisection. */
  #segmentOf(seq: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#segments[middle] as MemorySegment).lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Events of one publish lie side by side in pieces of memory, in order. Where most of a piece is not stored, its events
 * being duplicates, the few that are must not keep all of it.
 */
function setScatteredApart(records: readonly PackedRecord[]): void {
  let start = 0;
  let stored = 0;
  for (const [index, { event }] of records.entries()) {
    stored += event.end - event.start;
    if (records[index + 1]?.event.bytes === event.bytes) continue;
    if (stored * 2 < event.bytes.length) for (let at = start; at <= index; at += 1) records[at]?.setApart();
    start = index + 1;
    stored = 0;
  }
}
