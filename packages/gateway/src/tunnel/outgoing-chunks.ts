// The memory that bytes on their way out stand in: large pieces are used again as soon as the kernel has taken them, which
// with a client that reads is at once.

/** Pieces that are kept for the next write; more are left to the collector. */
const keptMax = 16;
/** Below it Node's own pool is as good, bytes. */
const smallBytesMax = 4_096;

export class OutgoingChunks {
  readonly #bytes: number;
  readonly #free: Buffer[] = [];

  /** @param bytes how large a piece is; what is larger gets one made to measure. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** A piece of at least so many bytes, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes < smallBytesMax) return Buffer.allocUnsafe(bytes);
    if (bytes > this.#bytes) return Buffer.allocUnsafeSlow(bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  /** Gives back one that {@link take} gave, and that nobody looks at any more. */
  give(piece: Buffer): void {
    if (piece.length === this.#bytes && this.#free.length < keptMax) this.#free.push(piece);
  }
}
