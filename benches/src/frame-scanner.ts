// Counts WebSocket frames in a byte stream by their headers alone, so that the load client is never the bottleneck.

const lengthMask = 0x7f;
const opcodeMask = 0x0f;
const textOpcode = 1;
const closeOpcode = 8;
const length16 = 126;
const length64 = 127;

/** Scans one connection's frames (RFC 6455 §5.2, unmasked, as servers send them). */
export class FrameScanner {
  /** Text frames whose payload began so far. */
  frames = 0;
  closed = false;
  /** Bytes of the current payload that are still to come. */
  #skip = 0;
  readonly #header = Buffer.alloc(10);
  #headerBytes = 0;

  /** Takes a chunk; `onText` gets where in the chunk each text payload begins, for looking at some of them. */
  scan(chunk: Buffer, length: number, onText?: (chunk: Buffer, at: number, end: number) => void): void {
    let at = 0;
    while (at < length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      if (this.#headerBytes === 0 && at + 4 <= length) {
        const short = (chunk[at + 1] as number) & lengthMask;
        if (short < length64) {
          const first = chunk[at] as number;
          const isLong = short === length16;
          this.#skip = isLong ? chunk.readUInt16BE(at + 2) : short;
          at += isLong ? 4 : 2;
          this.#begin(first & opcodeMask, chunk, at, length, onText);
          continue;
        }
      }
      at = this.#slowHeader(chunk, at, length, onText);
    }
  }

  #slowHeader(
    chunk: Buffer,
    from: number,
    length: number,
    onText?: (chunk: Buffer, at: number, end: number) => void,
  ): number {
    let at = from;
    while (at < length) {
      this.#header[this.#headerBytes] = chunk[at] as number;
      this.#headerBytes += 1;
      at += 1;
      if (this.#headerBytes < 2) continue;
      const short = (this.#header[1] as number) & lengthMask;
      const wanted = short === length16 ? 4 : short === length64 ? 10 : 2;
      if (this.#headerBytes < wanted) continue;
      if (wanted === 2) this.#skip = short;
      else this.#skip = wanted === 4 ? this.#header.readUInt16BE(2) : this.#header.readUIntBE(4, 6);
      this.#headerBytes = 0;
      this.#begin((this.#header[0] as number) & opcodeMask, chunk, at, length, onText);
      return at;
    }
    return at;
  }

  #begin(
    opcode: number,
    chunk: Buffer,
    at: number,
    length: number,
    onText?: (chunk: Buffer, at: number, end: number) => void,
  ): void {
    if (opcode === textOpcode) {
      this.frames += 1;
      onText?.(chunk, at, Math.min(length, at + this.#skip));
    } else if (opcode === closeOpcode) this.closed = true;
  }
}
