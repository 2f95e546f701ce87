// A stretch of the log in memory, for all connections that are behind there: each event is encoded once, into pieces
// so small that a transport which is stuck with one holds on to little.

import type { EventRecord } from "../log/event-log.js";
import type { Encoding } from "../routing/encoding.js";
import { columnBytes, RecordColumns } from "./record-columns.js";

/** Bytes of fields that end a piece: what a blocked transport holds on to, and an event. As much as one write takes. */
export const pieceBytesMax = 16 * 1024;
/** Some neighbours of a page, encoded. */
interface Piece {
  readonly bytes: Buffer;
  /** Index of its first record. */
  readonly from: number;
  /** Where each event begins in it, and where the last ends. */
  readonly offsets: Uint32Array;
}

/** What of a page was read from the log. */
export interface PageContent extends Pick<Page, "after" | "scannedTo" | "oldest" | "isFull"> {
  /** In `seq` order. */
  readonly records: readonly EventRecord[];
}

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
  /** What it costs in memory, also when it has been encoded. */
  readonly bytes: number;
  readonly #encoded: (readonly Piece[] | undefined)[] = [undefined, undefined];

  constructor(options: PageContent) {
    this.after = options.after;
    this.scannedTo = options.scannedTo;
    this.oldest = options.oldest;
    this.records = new RecordColumns(options.records);
    this.isFull = options.isFull;
    this.bytes = 2 * this.records.fieldsBytes + columnBytes * this.records.length;
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

function encodePieces(encoding: Encoding, records: RecordColumns): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  let fieldsBytes = 0;
  for (let index = 0; index < records.length; index += 1) {
    fieldsBytes += records.fieldsBytesAt(index);
    if (fieldsBytes < pieceBytesMax && index + 1 < records.length) continue;
    pieces.push(encodePiece(encoding, records, from, index + 1));
    from = index + 1;
    fieldsBytes = 0;
  }
  return pieces;
}

function encodePiece(encoding: Encoding, records: RecordColumns, from: number, to: number): Piece {
  const events = Array.from({ length: to - from }, (_, index) => records.encodableAt(from + index));
  const bytes = Buffer.allocUnsafeSlow(events.reduce((sum, event) => sum + encoding.eventBytes(event), 0));
  const offsets = new Uint32Array(events.length + 1);
  let at = 0;
  for (const [index, event] of events.entries()) {
    at = encoding.writeEvent(event, bytes, at);
    offsets[index + 1] = at;
  }
  return { bytes, from, offsets };
}
