// Joins what goes out in one write without new memory for each: with hundreds of laggards, or an event every quarter of a
// millisecond for a thousand, that would be nearly all that the process makes, and V8 would look through all that lives
// once a second for it.

/**
 * A piece of memory, bytes. It is what a transport that is stuck keeps from being used; several share one. What is larger
 * gets memory of its own.
 */
const pieceBytes = 64 * 1024;

/** Memory for one writer, whose writes are over before it joins anew. */
export class JoinedMemory {
  #piece: Buffer | undefined;
  /** Where in the piece what is held ends. */
  #at = 0;
  #joined: Buffer | undefined;

  /** All of the parts in one, valid until the next time, unless it is kept. */
  join(parts: readonly Buffer[]): Buffer {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length > pieceBytes) return Buffer.concat(parts, length);
    if (this.#piece === undefined || this.#at + length > pieceBytes) {
      this.#piece = Buffer.allocUnsafeSlow(pieceBytes);
      this.#at = 0;
    }
    const piece = this.#piece;
    let end = this.#at;
    for (const part of parts) {
      piece.set(part, end);
      end += part.length;
    }
    this.#joined = piece.subarray(this.#at, end);
    return this.#joined;
  }

  /** A transport holds on to these bytes: where they were joined here, they stay as they are. */
  keep(bytes: Buffer): void {
    if (bytes !== this.#joined) return;
    this.#at += bytes.length;
    this.#joined = undefined;
  }
}
