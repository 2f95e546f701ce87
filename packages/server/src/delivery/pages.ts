// Reads the log for connections that are behind, in aligned pages, so that laggards at nearby places share one read
// and one encoding. Bounded in bytes.

import type { EventLog, EventRecord } from "../log/event-log.js";
import type { Encoding } from "../routing/encoding.js";

/** Seqs per page: large enough to make a read worthwhile, small enough to be decoded within a turn. */
const pageSeqs = 512;
/** What a record costs in memory beside its bytes. */
const overheadBytes = 400;

interface EncodedPage {
  readonly bytes: Buffer;
  /** Where each event begins, and where the last ends. */
  readonly offsets: Uint32Array;
}

/** A stretch of the log, all events of it. */
export class Page {
  /** Covers seqs from `after + 1` to `scannedTo`. */
  readonly after: number;
  readonly scannedTo: number;
  /** The log's oldest retained seq when it was read. */
  readonly oldest: number;
  /** In `seq` order. */
  readonly records: readonly EventRecord[];
  /** What it costs in memory, also when it has been encoded. */
  readonly bytes: number;
  readonly #encoded: (EncodedPage | undefined)[] = [undefined, undefined];

  constructor(after: number, scannedTo: number, oldest: number, records: readonly EventRecord[]) {
    this.after = after;
    this.scannedTo = scannedTo;
    this.oldest = oldest;
    this.records = records;
    this.bytes = records.reduce((sum, { fields }) => sum + 2 * fields.length + overheadBytes, 0);
  }

  /** The bytes that travel for the records from one index up to another, next to each other: shared, made once. */
  slice(encoding: Encoding, from: number, to: number): Buffer {
    const { bytes, offsets } = (this.#encoded[encoding.slot] ??= this.#encode(encoding));
    return bytes.subarray(offsets[from], offsets[to]);
  }

  #encode(encoding: Encoding): EncodedPage {
    const size = this.records.reduce((sum, record) => sum + encoding.eventBytes(record), 0);
    const bytes = Buffer.allocUnsafeSlow(size);
    const offsets = new Uint32Array(this.records.length + 1);
    let at = 0;
    for (const [index, record] of this.records.entries()) {
      at = encoding.writeEvent(record, bytes, at);
      offsets[index + 1] = at;
    }
    return { bytes, offsets };
  }

  /** Index of the first record with a seq over `after`. */
  indexAfter(after: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.records[middle] as EventRecord).seq <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface PagesOptions {
  readonly log: EventLog;
  /** Bound of what is kept, bytes; the pages in use by a reader come on top. */
  readonly bytesMax: number;
}

/** A small cache of log pages, least recently used first out. */
export class Pages {
  readonly #log: EventLog;
  readonly #bytesMax: number;
  readonly #kept = new Map<number, Page>();
  readonly #reading = new Map<number, Promise<Page>>();
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
    const number = Math.floor(after / pageSeqs);
    const page = this.#kept.get(number);
    if (page === undefined) return undefined;
    this.#kept.delete(number);
    this.#kept.set(number, page);
    return page;
  }

  /**
   * The page that holds the seq after `after`; readers of the same page share one read.
   * @throws {LogError} as `EventLog.read`.
   */
  async read(after: number): Promise<Page> {
    const number = Math.floor(after / pageSeqs);
    let reading = this.#reading.get(number);
    if (reading === undefined) {
      reading = this.#load(number).finally(() => this.#reading.delete(number));
      this.#reading.set(number, reading);
    }
    return reading;
  }

  async #load(number: number): Promise<Page> {
    const first = number * pageSeqs;
    const until = first + pageSeqs;
    const records: EventRecord[] = [];
    let after = first;
    for (;;) {
      const read = await this.#log.read(after, { until, limit: pageSeqs });
      records.push(...read.records);
      after = read.scannedTo;
      if (after < Math.min(until, read.head)) continue;
      const page = new Page(first, Math.min(after, until), read.oldest, records);
      // A page that the head is still in will hold more the next time.
      if (page.scannedTo === until) this.#keep(number, page);
      return page;
    }
  }

  #keep(number: number, page: Page): void {
    this.#kept.set(number, page);
    this.#bytes += page.bytes;
    for (const [oldestNumber, oldest] of this.#kept) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#forget(oldestNumber, oldest);
    }
  }

  #forget(number: number, page: Page): void {
    if (this.#kept.delete(number)) this.#bytes -= page.bytes;
  }
}
