// Fills one page of history within its bounds; knows no storage.
import type { EventRecord, LogPage, PageBounds, ReadOptions } from "./event-log.js";

/** Most records looked at for one page: about 2 ms of work, so that a narrow match does not hold the event loop. */
const scannedRecordsMax = 4096;

/** @throws {RangeError} unless a page of so many records can be asked for. */
export function checkLimit({ limit }: ReadOptions): void {
  if (!(limit >= 1)) throw new RangeError("limit must be 1 or more");
}

/** A page while it is filled, record by record in `seq` order. */
export class PageBuilder {
  /** Last seq to consider. */
  readonly until: number;
  readonly #options: ReadOptions;
  readonly #oldest: number;
  readonly #head: number;
  readonly #records: EventRecord[] = [];
  #scannedTo: number;
  #budget = scannedRecordsMax;
  #admitted = 0;
  #bytes = 0;
  #isFull = false;

  /** @param log what is retained now */
  constructor(after: number, options: ReadOptions, log: { readonly oldest: number; readonly head: number }) {
    this.#options = options;
    this.#oldest = log.oldest;
    this.#head = log.head;
    this.until = Math.min(options.until ?? log.head, log.head);
    this.#scannedTo = Math.max(after, Math.min(log.oldest - 1, this.until));
  }

  /** The first seq not yet considered. */
  get nextSeq(): number {
    return this.#scannedTo + 1;
  }

  /** Whether a bound is met. */
  get isDone(): boolean {
    return this.#isFull || this.#scannedTo >= this.until || this.#budget <= 0;
  }

  /** Whether the reader wants such a record. */
  wants(eventType: string, clusterId: string | undefined): boolean {
    return this.#options.match === undefined || this.#options.match.matches(eventType, clusterId);
  }

  /**
   * Makes room for the wanted record `seq`, which is then to be pushed. False where it does not fit: the page is done
   * and the record is left for the next. A page without records takes any.
   */
  admit(seq: number, fieldsBytes: number): boolean {
    const { limit, bytesMax } = this.#options;
    if (bytesMax !== undefined && this.#admitted > 0 && this.#bytes + fieldsBytes > bytesMax) {
      this.#isFull = true;
      return false;
    }
    this.#admitted += 1;
    this.#bytes += fieldsBytes;
    this.#isFull = this.#admitted >= limit;
    this.skip(seq);
    return true;
  }

  /** Adds an admitted record. */
  push(record: EventRecord): void {
    this.#records.push(record);
  }

  /** Notes that every record up to `seq` was considered. */
  skip(seq: number): void {
    this.#budget -= seq - this.#scannedTo;
    this.#scannedTo = seq;
  }

  /** Spends so many records' worth of the bound on work, for what costs beside records. */
  spend(records: number): void {
    this.#budget -= records;
  }

  get bounds(): PageBounds {
    return { scannedTo: this.#scannedTo, oldest: this.#oldest, head: this.#head };
  }

  build(): LogPage {
    return { records: this.#records, ...this.bounds };
  }
}
