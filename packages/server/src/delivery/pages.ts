// Reads the log for connections that are behind, in aligned pages, so that laggards at nearby places share one read
// and one encoding. Bounded in bytes.

import type { EventLog } from "../log/event-log.js";
import type { Encoding } from "../routing/encoding.js";
import { Page } from "./page.js";
import { RecordColumns } from "./record-columns.js";

/** Seqs per page: large enough to make a read worthwhile, small enough to be decoded within a turn. */
const pageSeqs = 512;
/** Bytes of a page's events: what a reader that is stuck can hold on to. A larger event is a page of its own. */
const pageBytesMax = 256 * 1024;
/** Of pages that nobody needs any more, so many wait to be used again. */
const freeMax = 4;

/** What pages are read from, and their bound. */
export interface PagesOptions {
  readonly log: EventLog;
  /** Bound of what is kept, bytes; the pages in use by a reader come on top. */
  readonly bytesMax: number;
}

interface Reading {
  readonly page: Promise<Page>;
}

/** A small cache of log pages by the seq before their first, least recently used first out. */
export class Pages {
  readonly #log: EventLog;
  readonly #bytesMax: number;
  readonly #kept = new Map<number, Page>();
  readonly #reading = new Map<number, Reading>();
  /** No longer kept, but perhaps in somebody's hand. */
  #retired: Page[] = [];
  readonly #free: RecordColumns[] = [];
  #bytes = 0;

  constructor(options: PagesOptions) {
    this.#log = options.log;
    this.#bytesMax = options.bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The page that holds the seq after `after`, if it is at hand; it may hold what retention has since taken. */
  peek(after: number): Page | undefined {
    const page = [after, alignedStart(after)].map((start) => this.#kept.get(start)).find((kept) => kept?.covers(after));
    if (page === undefined) return undefined;
    this.#kept.delete(page.after);
    this.#kept.set(page.after, page);
    return page;
  }

  /**
   * Uses the memory of pages that are no longer kept again, but for those that somebody has in hand. For the beginning
   * of a turn: nothing of what was handed out in an earlier one may be in use, but by those of whom `isHeld` tells.
   */
  reclaim(isHeld: (page: Page) => boolean): void {
    if (this.#retired.length === 0) return;
    const held = this.#retired.filter(isHeld);
    for (const page of this.#retired) {
      if (page.isReused && this.#free.length < freeMax && !held.includes(page)) this.#free.push(page.records);
    }
    this.#retired = held;
  }

  /**
   * The page that holds the seq after `after`, encoded for such connections first; readers of the same page share one
   * read. Where the log's head is not beyond `after`, the page doesn't hold it.
   * @throws {LogError} as `EventLog.read`.
   */
  async read(after: number, encoding: Encoding): Promise<Page> {
    const kept = this.peek(after);
    if (kept !== undefined) return kept;
    const first = this.#kept.get(alignedStart(after));
    if (first?.isFull !== true) {
      const page = await this.#share(alignedStart(after), after, encoding);
      if (page.covers(after) || !page.isFull) return page;
    }
    // The aligned page was full of bytes before it came this far.
    return this.#share(after, after, encoding);
  }

  /** One read for all who want the same page; one that began before the head was beyond `after` is of no use. */
  async #share(start: number, after: number, encoding: Encoding): Promise<Page> {
    const shared = this.#reading.get(start);
    if (shared !== undefined) {
      const page = await shared.page;
      if (page.covers(after) || page.isFull) return page;
    }
    const reading: Reading = { page: this.#load(start, encoding) };
    this.#reading.set(start, reading);
    try {
      return await reading.page;
    } finally {
      if (this.#reading.get(start) === reading) this.#reading.delete(start);
    }
  }

  async #load(start: number, encoding: Encoding): Promise<Page> {
    const until = alignedStart(start) + pageSeqs;
    const records = this.#free.pop() ?? new RecordColumns(pageSeqs);
    records.begin(encoding);
    const read = await this.#log.scan(start, { until, limit: pageSeqs, bytesMax: pageBytesMax }, records.take);
    const scannedTo = Math.min(read.scannedTo, until);
    // A page that the head is in will hold more the next time.
    const isFull = scannedTo === until || scannedTo < read.head;
    const page = new Page({ after: start, scannedTo, oldest: read.oldest, records, isFull });
    this.#keep(page);
    return page;
  }

  #keep(page: Page): void {
    const before = this.#kept.get(page.after);
    if (before !== undefined) this.#forget(before);
    this.#kept.set(page.after, page);
    this.#bytes += page.bytes;
    for (const oldest of this.#kept.values()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#forget(oldest);
    }
  }

  #forget(page: Page): void {
    if (!this.#kept.delete(page.after)) return;
    this.#bytes -= page.bytes;
    this.#retired.push(page);
  }
}

function alignedStart(after: number): number {
  return after - (after % pageSeqs);
}
