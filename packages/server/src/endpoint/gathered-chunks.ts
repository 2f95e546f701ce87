// The chunks of a body as few objects: a stream hands out each as a buffer of its own, of some 280 bytes beside what is
// in it, so a body in a million chunks of one byte would hold 280 MB.

/** A chunk of so many bytes stays as it came; a smaller one is copied to where others like it are. */
const apartBytesMin = 1_024;
/** Room made for small ones: as much as there is already, within these bounds, bytes. */
const roomBytesMin = 512;
const roomBytesMax = 65_536;

/** Holds at most twice the bytes that were added, and {@link roomBytesMin}. */
export class GatheredChunks {
  /** Bytes added. */
  length = 0;
  readonly #pieces: Buffer[] = [];
  /** Where small chunks go: `[start, end)` is filled and not among the pieces yet. */
  #room: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** @param chunk taken over where it is large or the first */
  add(chunk: Buffer): void {
    if (chunk.length >= apartBytesMin || this.length === 0) {
      this.#seal();
      this.#pieces.push(chunk);
    } else this.#copy(chunk);
    this.length += chunk.length;
  }

  /** All of it in order: the chunk itself where there is but one. */
  concat(): Buffer {
    this.#seal();
    const [first] = this.#pieces;
    return this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces, this.length);
  }

  #copy(chunk: Buffer): void {
    if (this.#room.length - this.#end < chunk.length) {
      this.#seal();
      const bytes = Math.min(roomBytesMax, Math.max(roomBytesMin, this.length));
      this.#room = Buffer.allocUnsafeSlow(Math.max(bytes, chunk.length));
      this.#start = 0;
      this.#end = 0;
    }
    chunk.copy(this.#room, this.#end);
    this.#end += chunk.length;
  }

  #seal(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#room.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
