// A stretch of the log in memory, for all connections that are behind there: each event is encoded once.

import type { Encoding } from "../routing/encoding.js";
import type { RecordColumns } from "./record-columns.js";

/** Memory of a page that is worth keeping for another: twice 256 KiB of events, as memory doubles while it grows. */
const reusedBytesMax = 576 * 1024;

/** What of a page was read from the log. */
export type PageContent = Pick<Page, "after" | "scannedTo" | "oldest" | "isFull" | "records">;

/** A stretch of the log, all events of it. */
export class Page {
  /** Covers seqs from `after + 1` to `scannedTo`. */
  readonly after: number;
  readonly scannedTo: number;
  /** The log's oldest retained seq when it was read. */
  readonly oldest: number;
  readonly records: RecordColumns;
  /** It goes as far as a page may; otherwise it ends where the log's head was. */
  readonly isFull: boolean;
  /** What it costs in memory. */
  readonly bytes: number;

  constructor(options: PageContent) {
    this.after = options.after;
    this.scannedTo = options.scannedTo;
    this.oldest = options.oldest;
    this.records = options.records;
    this.isFull = options.isFull;
    this.bytes = this.records.memoryBytes;
  }

  /** Whether its memory will be another page's; that of a very large event never is. */
  get isReused(): boolean {
    return this.bytes <= reusedBytesMax;
  }

  /** Whether it holds the seq after `after`, or knows that it is gone. */
  covers(after: number): boolean {
    return this.after <= after && after < this.scannedTo;
  }

  /** Appends to `out` the bytes that travel for the records from one index up to another; the page's, made once. */
  take(encoding: Encoding, from: number, to: number, out: Buffer[]): void {
    if (to > from) out.push(this.records.frames(encoding, from, to));
  }
}
