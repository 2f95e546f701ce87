// Records of the log as columns of numbers, and their bytes as they travel. All of it is memory that is used again:
// what is made anew for each page outlives the young generation, and live delivery would feel the collector.

import type { EventMatch, TakeRecord } from "../log/event-log.js";
import { PairNumbers, type Pair } from "../log/pair-numbers.js";
import type { Encoding } from "../routing/encoding.js";

/** Memory for bytes that columns begin with; it doubles as need be, and stays. */
const memoryBytesMin = 64 * 1024;
/** What a record costs beside its bytes: a number of 8 bytes, and four of 4. */
const columnBytes = 24;

/** Records in `seq` order, encoded for one kind of connection when they are taken in. */
export class RecordColumns {
  length = 0;
  readonly #seqs: Float64Array;
  readonly #pairOf: Uint32Array;
  /** Where in the memory a record's fields begin, how long they are, and where what travels of it ends. */
  readonly #fieldsAt: Uint32Array;
  readonly #fieldsBytes: Uint32Array;
  readonly #ends: Uint32Array;
  #pairs = new PairNumbers();
  #memory: Buffer = Buffer.allocUnsafeSlow(memoryBytesMin);
  #bytes = 0;
  #encoding: Encoding | undefined;
  /** What another kind of connection is sent, by its encoding's slot. */
  #others: (RecordColumns | undefined)[] = [];

  /** @param recordsMax most records that it can hold */
  constructor(recordsMax: number) {
    this.#seqs = new Float64Array(recordsMax);
    this.#pairOf = new Uint32Array(recordsMax);
    this.#fieldsAt = new Uint32Array(recordsMax);
    this.#fieldsBytes = new Uint32Array(recordsMax);
    this.#ends = new Uint32Array(recordsMax);
  }

  /** Bytes of memory that it holds, used or not. */
  get memoryBytes(): number {
    return this.#memory.length + columnBytes * this.#seqs.length;
  }

  /** Forgets what it holds, and takes what comes for such connections from now on. Its memory stays. */
  begin(encoding: Encoding): void {
    this.length = 0;
    this.#bytes = 0;
    this.#encoding = encoding;
    this.#pairs = new PairNumbers();
    this.#others = [];
  }

  /** Takes a record, with a seq over all before; `begin` comes first. */
  readonly take: TakeRecord = (seq, eventType, clusterId, bytes, start, end) => {
    const encoding = this.#encoding as Encoding;
    const fieldsBytes = end - start;
    const bytesMax = this.#bytes + fieldsBytes + encoding.aroundBytesMax;
    if (bytesMax > this.#memory.length) this.#grow(bytesMax);
    const memory = this.#memory;
    const fieldsAt = encoding.writeHead(seq, fieldsBytes, memory, this.#bytes);
    memory.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, fieldsBytes), fieldsAt);
    this.#bytes = encoding.writeTail(memory, fieldsAt + fieldsBytes);
    const index = this.length;
    this.#seqs[index] = seq;
    this.#pairOf[index] = this.#pairs.numberOf(eventType, clusterId);
    this.#fieldsAt[index] = fieldsAt;
    this.#fieldsBytes[index] = fieldsBytes;
    this.#ends[index] = this.#bytes;
    this.length = index + 1;
  };

  #grow(bytes: number): void {
    const memory = Buffer.allocUnsafeSlow(Math.max(2 * this.#memory.length, bytes));
    memory.set(this.#memory.subarray(0, this.#bytes));
    this.#memory = memory;
  }

  seqAt(index: number): number {
    return this.#seqs[index] as number;
  }

  fieldsBytesAt(index: number): number {
    return this.#fieldsBytes[index] as number;
  }

  /** What travels of the records `[from, to)`, at least one: a part of the memory, good until `begin`. */
  frames(encoding: Encoding, from: number, to: number): Buffer {
    // Encodings that differ in what they do for live events only write the same here.
    if (encoding.writeHead !== this.#encoding?.writeHead) return this.#other(encoding).frames(encoding, from, to);
    return this.#memory.subarray(from === 0 ? 0 : this.#ends[from - 1], this.#ends[to - 1]);
  }

  #other(encoding: Encoding): RecordColumns {
    const made = this.#others[encoding.slot];
    if (made !== undefined) return made;
    const other = new RecordColumns(this.length);
    other.begin(encoding);
    for (let index = 0; index < this.length; index += 1) {
      const { eventType, clusterId } = this.#pairs.all[this.#pairOf[index] as number] as Pair;
      const start = this.#fieldsAt[index] as number;
      const end = start + (this.#fieldsBytes[index] as number);
      other.take(this.seqAt(index), eventType, clusterId, this.#memory, start, end);
    }
    this.#others[encoding.slot] = other;
    return other;
  }

  /** Whether `match` wants the record at an index, asked once for each pair of type and cluster. */
  wanted(match: EventMatch): (index: number) => boolean {
    const pairs = this.#pairs.all;
    const answers: (boolean | undefined)[] = pairs.map(() => undefined);
    return (index) => {
      const number = this.#pairOf[index] as number;
      const { eventType, clusterId } = pairs[number] as Pair;
      return (answers[number] ??= match.matches(eventType, clusterId));
    };
  }

  /** Index of the first record with a seq over `after`. */
  indexAfter(after: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.seqAt(middle) <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
