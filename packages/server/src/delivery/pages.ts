// Reads the log for connections that are behind, in aligned pages, so that laggards at nearby places share one read
// and one encoding. Bounded in bytes.

import type { Clock } from "@sluice/runtime";
import type { EventLog, EventRecord } from "../log/event-log.js";
import { SharedEvent } from "../routing/shared-event.js";

/** Seqs per page: large enough to make a read worthwhile, small enough to be decoded within a turn. */
const pageSeqs = 512;
/** What a record costs in memory beside its bytes. */
const overheadBytes = 400;

/** A stretch of the log, all events of it. */
export interface Page {
  /** Covers seqs from `after + 1` to `scannedTo`. */
  readonly after: number;
  readonly scannedTo: number;
  /** The log's oldest retained seq when it was read. */
  readonly oldest: number;
  /** In `seq` order. */
  readonly events: readonly SharedEvent[];
  readonly bytes: number;
}

export interface PagesOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Bound of what is kept, bytes; the pages in use by a reader come on top. */
  readonly bytesMax: number;
}

/** A small cache of log pages, least recently used first out. */
export class Pages {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #kept = new Map<number, Page>();
  readonly #reading = new Map<number, Promise<Page>>();
  #bytes = 0;

  constructor(options: PagesOptions) {
    this.#log = options.log;
    this.#clock = options.clock;
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
    const events: SharedEvent[] = [];
    let after = first;
    let bytes = 0;
    for (;;) {
      const page = await this.#log.read(after, { until, limit: pageSeqs });
      for (const record of page.records) {
        events.push(new SharedEvent(record, this.#durableAt(record)));
        bytes += 2 * record.fields.length + overheadBytes;
      }
      after = page.scannedTo;
      if (after < Math.min(until, page.head)) continue;
      const loaded: Page = { after: first, scannedTo: Math.min(after, until), oldest: page.oldest, events, bytes };
      // A page that the head is still in will hold more the next time.
      if (loaded.scannedTo === until) this.#keep(number, loaded);
      return loaded;
    }
  }

  #durableAt(record: EventRecord): number {
    return this.#clock.now() - Math.max(0, this.#clock.wall() - record.appendedAtMs);
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
