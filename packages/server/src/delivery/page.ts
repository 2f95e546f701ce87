// A stretch of the log in memory, for all connections that are behind there: each event is encoded once, into pieces
// so small that a transport which is stuck with one holds on to little.

import type { EventRecord } from "../log/event-log.js";
import type { Encoding } from "../routing/encoding.js";

/** Bytes of fields that end a piece: what a blocked transport holds on to, and an event. As much as one write takes. */
export const pieceBytesMax = 16 * 1024;
/** What a record costs in memory beside its bytes. */
const overheadBytes = 400;

/** Some neighbours of a page, encoded. */
interface Piece {
  readonly bytes: Buffer;
  /** Index of its first record. */
  readonly from: number;
  /** Where each event begins in it, and where the last ends. */
  readonly offsets: Uint32Array;
}

/** What of a page was read from the log. */
export type PageContent = Pick<Page, "after" | "scannedTo" | "oldest" | "records" | "isFull">;

/** A stretch of the log, all events of it. */
export class Page {
  /** Covers seqs from `after + 1` to `scannedTo`. */
  readonly after: number;
  readonly scannedTo: number;
  /** The log's oldest retained seq when it was read. */
  readonly oldest: number;
  /** In `seq` order. */
  readonly records: readonly EventRecord[];
  /** It goes as far as a page may; otherwise it ends where the log's head was. */
  readonly isFull: boolean;
  /** What it costs in memory, also when it has been encoded. */
  readonly bytes: number;
  readonly #encoded: (readonly Piece[] | undefined)[] = [undefined, undefined];

  constructor(options: PageContent) {
    this.after = options.after;
    this.scannedTo = options.scannedTo;
    this.oldest = options.oldest;
    this.records = options.records;
    this.isFull = options.isFull;
    this.bytes = this.records.reduce((sum, { fields }) => sum + 2 * fields.length + overheadBytes, 0);
  }

  /** Whether it holds the seq after `after`, or knows that it is gone. */
  covers(after: number): boolean {
    return this.after <= after && after < this.scannedTo;
  }

  /** Appends to `out` the bytes that travel for the records from one index up to another: shared, made once. */
  take(encoding: Encoding, from: number, to: number, out: Buffer[]): void {
    const pieces = (this.#encoded[encoding.slot] ??= encodePieces(encoding, this.records));
    let at = pieceOf(pieces, from);
    for (let index = from; index < to; at += 1) {
      const { bytes, offsets, from: first } = pieces[at] as Piece;
      const end = Math.min(to, first + offsets.length - 1);
      out.push(bytes.subarray(offsets[index - first], offsets[end - first]));
      index = end;
    }
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

/** The piece that holds the record at an index. */
function pieceOf(pieces: readonly Piece[], index: number): number {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pieces[middle] as Piece).from <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

function encodePieces(encoding: Encoding, records: readonly EventRecord[]): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let fieldsBytes = 0;
  for (const [index, { fields }] of records.entries()) {
    fieldsBytes += fields.length;
    if (fieldsBytes < pieceBytesMax && index + 1 < records.length) continue;
    pieces.push(encodePiece(encoding, records, from, index + 1));
    from = index + 1;
    fieldsBytes = 0;
  }
  return pieces;
}

function encodePiece(encoding: Encoding, records: readonly EventRecord[], from: number, to: number): Piece {
  const events = records.slice(from, to);
  const bytes = Buffer.allocUnsafeSlow(events.reduce((sum, record) => sum + encoding.eventBytes(record), 0));
  const offsets = new Uint32Array(events.length + 1);
  let at = 0;
  for (const [index, record] of events.entries()) {
    at = encoding.writeEvent(record, bytes, at);
    offsets[index + 1] = at;
  }
  return { bytes, from, offsets };
}
