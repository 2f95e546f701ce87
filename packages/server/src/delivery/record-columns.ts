// Records of the log held as columns of numbers: a page's worth of objects that live for a while would be copied by
// the garbage collector again and again, and live delivery would feel it.

import type { EventMatch, EventRecord } from "../log/event-log.js";
import type { Encodable } from "../routing/encoding.js";

/** What a record costs beside its bytes: its numbers, in arrays that double as they grow. */
export const columnBytes = 32;

/** An event type and a cluster that occur together. */
interface Pair {
  readonly eventType: string;
  readonly clusterId: string | undefined;
}

/** Records in `seq` order, of which nothing is kept but what sending them takes. */
export class RecordColumns {
  readonly length: number;
  /** Sum of the lengths of all fields. */
  readonly fieldsBytes: number;
  readonly #seqs: Float64Array;
  readonly #pairs: readonly Pair[];
  readonly #pairOf: Uint32Array;
  /** The log's own copies of the fields, which mostly are few for many records. */
  readonly #memories: readonly ArrayBufferLike[];
  readonly #memoryOf: Uint32Array;
  readonly #offsets: Uint32Array;
  readonly #lengths: Uint32Array;

  constructor(records: readonly EventRecord[]) {
    const { length } = records;
    this.length = length;
    this.#seqs = new Float64Array(length);
    this.#pairOf = new Uint32Array(length);
    this.#memoryOf = new Uint32Array(length);
    this.#offsets = new Uint32Array(length);
    this.#lengths = new Uint32Array(length);
    const pairs = new PairNumbers();
    const memories: ArrayBufferLike[] = [];
    let fieldsBytes = 0;
    for (let index = 0; index < length; index += 1) {
      const { seq, eventType, clusterId, fields } = records[index] as EventRecord;
      if (memories.at(-1) !== fields.buffer) memories.push(fields.buffer);
      this.#seqs[index] = seq;
      this.#pairOf[index] = pairs.numberOf(eventType, clusterId);
      this.#memoryOf[index] = memories.length - 1;
      this.#offsets[index] = fields.byteOffset;
      this.#lengths[index] = fields.length;
      fieldsBytes += fields.length;
    }
    this.fieldsBytes = fieldsBytes;
    this.#pairs = pairs.all;
    this.#memories = memories;
  }

  seqAt(index: number): number {
    return this.#seqs[index] as number;
  }

  fieldsBytesAt(index: number): number {
    return this.#lengths[index] as number;
  }

  /** What an encoding must know of a record; made anew each time. */
  encodableAt(index: number): Encodable {
    const memory = this.#memories[this.#memoryOf[index] as number] as ArrayBuffer;
    return { seq: this.seqAt(index), fields: Buffer.from(memory, this.#offsets[index], this.#lengths[index]) };
  }

  /** Whether `match` wants the record at an index, asked once for each pair of type and cluster. */
  wanted(match: EventMatch): (index: number) => boolean {
    const answers: (boolean | undefined)[] = Array.from({ length: this.#pairs.length }, () => undefined);
    return (index) => {
      const number = this.#pairOf[index] as number;
      const { eventType, clusterId } = this.#pairs[number] as Pair;
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

/** Numbers pairs of type and cluster as they come. */
class PairNumbers {
  readonly all: Pair[] = [];
  readonly #byType = new Map<string, Map<string | undefined, number>>();

  numberOf(eventType: string, clusterId: string | undefined): number {
    const byCluster = this.#byType.get(eventType) ?? new Map<string | undefined, number>();
    const known = byCluster.get(clusterId);
    if (known !== undefined) return known;
    this.all.push({ eventType, clusterId });
    byCluster.set(clusterId, this.all.length - 1);
    this.#byType.set(eventType, byCluster);
    return this.all.length - 1;
  }
}
