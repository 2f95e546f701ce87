// An event on its way out: one object and one encoding for all who receive it.

import type { EventRecord } from "../log/event-log.js";
import { encodeEvent, type Encoding } from "./encoding.js";

/** A record with its encodings, each made when first asked for. */
export class SharedEvent {
  readonly record: EventRecord;
  /** Monotonic ms at which it became durable; what latency and lag are measured from. */
  readonly durableAtMs: number;
  /** What was asked for first; few events are ever asked for in another encoding. */
  #encoding: Encoding | undefined;
  #bytes: Buffer | undefined;
  /** The others, by their slots. */
  #others: (Buffer | undefined)[] | undefined;

  constructor(record: EventRecord, durableAtMs: number) {
    this.record = record;
    this.durableAtMs = durableAtMs;
  }

  get seq(): number {
    return this.record.seq;
  }

  /** The bytes that travel; shared, never to be modified. */
  bytes(encoding: Encoding): Buffer {
    if (this.#encoding === encoding && this.#bytes !== undefined) return this.#bytes;
    if (this.#encoding !== undefined) {
      this.#others ??= [];
      return (this.#others[encoding.slot] ??= encodeEvent(encoding, this.record));
    }
    this.#encoding = encoding;
    this.#bytes = encodeEvent(encoding, this.record);
    return this.#bytes;
  }
}
