// Reads the log for connections that are behind, in aligned pages, so that laggards at nearby places share one read
// and one encoding. Bounded in bytes.

import type { EventLog } from "../log/event-log.js";
import { Page } from "./page.js";

/** Seqs per page: large enough to make a read worthwhile, small enough to be decoded within a turn. */
const pageSeqs = 512;
/** Bytes of a page's events: what a reader that is stuck can hold on to. An event that is larger is a page of its own. */
const pageBytesMax = 256 * 1024;

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
   * The page that holds the seq after `after`; readers of the same page share one read. Where the log's head is not
   * beyond `after`, the page doesn't hold it.
   * @throws {LogError} as `EventLog.read`.
   */
  async read(after: number): Promise<Page> {
    const kept = this.peek(after);
    if (kept !== undefined) return kept;
    const first = this.#kept.get(alignedStart(after));
    if (first?.isFull !== true) {
      const page = await this.#share(alignedStart(after), after);
      if (page.covers(after) || !page.isFull) return page;
    }
    // The aligned page was full of bytes before it came this far.
    return this.#share(after, after);
  }

  /** One read for all who want the same page; one that began before the head was beyond `after` is of no use. */
  async #share(start: number, after: number): Promise<Page> {
    const shared = this.#reading.get(start);
    if (shared !== undefined) {
      const page = await shared.page;
      if (page.covers(after) || page.isFull) return page;
    }
    const reading: Reading = { page: this.#load(start) };
    this.#reading.set(start, reading);
    try {
      return await reading.page;
    } finally {
      if (this.#reading.get(start) === reading) this.#reading.delete(start);
    }
  }

  async #load(start: number): Promise<Page> {
    const until = alignedStart(start) + pageSeqs;
    const read = await this.#log.read(start, { until, limit: pageSeqs, bytesMax: pageBytesMax });
    const scannedTo = Math.min(read.scannedTo, until);
    // A page that the head is in will hold more the next time.
    const isFull = scannedTo === until || scannedTo < read.head;
    const page = new Page({ after: start, scannedTo, oldest: read.oldest, records: read.records, isFull });
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
    if (this.#kept.delete(page.after)) this.#bytes -= page.bytes;
  }
}

function alignedStart(after: number): number {
  return after - (after % pageSeqs);
}
