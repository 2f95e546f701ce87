// An event on its way out: one object and one encoding for all who receive it.

import type { EventRecord } from "../log/event-log.js";
import { encodeEvent, type Encoding } from "./encoding.js";

/** A record with its encodings, each made when first asked for. */
export class SharedEvent {
  readonly record: EventRecord;
  /** Monotonic ms at which it became durable; what latency and lag are measured from. */
  readonly durableAtMs: number;
  /** By the encodings' slots. */
  readonly #encoded: (Buffer | undefined)[] = [undefined, undefined];

  constructor(record: EventRecord, durableAtMs: number) {
    this.record = record;
    this.durableAtMs = durableAtMs;
  }

  get seq(): number {
    return this.record.seq;
  }

  /** The bytes that travel; shared, never to be modified. */
  bytes(encoding: Encoding): Buffer {
    return (this.#encoded[encoding.slot] ??= encodeEvent(encoding, this.record));
  }
}
