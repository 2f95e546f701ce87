// Joins what a slice collected and hands it to the transport.

import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";
import { JoinedMemory } from "./joined-memory.js";
import type { Slice } from "./slice.js";

/** Writes slices; one for all consumers, since each write is over before the next begins. */
export class SliceWriter {
  readonly #tally: DeliveryTally;
  readonly #memory = new JoinedMemory();

  constructor(tally: DeliveryTally) {
    this.#tally = tally;
  }

  /** Hands what the slice has collected to the consumer's transport in one write; nothing is done when there is none. */
  write(consumer: Consumer, slice: Slice): void {
    const { out } = slice;
    if (out.length === 0) return;
    const bytes = out.length === 1 && !slice.isLent ? (out[0] as Buffer) : this.#memory.join(out);
    slice.out = [];
    slice.isLent = false;
    slice.bytes += bytes.length;
    slice.chunkBytes = 0;
    slice.writes += 1;
    this.#tally.writes += 1;
    consumer.write(bytes);
    if (consumer.sink.holdsBytes) this.#memory.keep(bytes);
  }
}
