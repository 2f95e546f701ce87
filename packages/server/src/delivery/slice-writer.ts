// Joins what a slice collected and hands it to the transport, without new memory for each write: with hundreds of
// laggards that would be all that they are sent, and the garbage collector would run several times a second for it.

import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";
import type { Slice } from "./slice.js";

/**
 * A write is a chunk of 16 KiB and its last event, mostly; one that is larger gets memory of its own. It is what a
 * transport that is stuck with a write holds on to.
 */
const joinedBytesMax = 32 * 1024;

/** Writes slices; one for all consumers, since each write is over before the next begins. */
export class SliceWriter {
  readonly #tally: DeliveryTally;
  #memory: Buffer | undefined;

  constructor(tally: DeliveryTally) {
    this.#tally = tally;
  }

  /** Hands what the slice has collected to the consumer's transport in one write; nothing is done when there is none. */
  write(consumer: Consumer, slice: Slice): void {
    const { out } = slice;
    if (out.length === 0) return;
    const bytes = out.length === 1 && !slice.isLent ? (out[0] as Buffer) : this.#join(out);
    slice.out = [];
    slice.isLent = false;
    slice.bytes += bytes.length;
    slice.chunkBytes = 0;
    slice.writes += 1;
    this.#tally.writes += 1;
    consumer.write(bytes);
    // What a transport holds on to is its own from here on.
    if (bytes.buffer === this.#memory?.buffer && consumer.sink.holdsBytes) this.#memory = undefined;
  }

  #join(parts: readonly Buffer[]): Buffer {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > joinedBytesMax) return Buffer.concat(parts, length);
    const memory = (this.#memory ??= Buffer.allocUnsafeSlow(joinedBytesMax));
    let at = 0;
    for (const part of parts) {
      memory.set(part, at);
      at += part.length;
    }
    return memory.subarray(0, length);
  }
}
