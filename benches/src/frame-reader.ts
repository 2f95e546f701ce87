// Reads every frame's header and the first bytes of its payload out of a byte stream, wherever the reads cut it, and
// nothing else: cheap enough to look at each of a million events a second.

/** Enough of a payload for its `type` and `seq`. */
const headBytesMax = 64;
const headerBytesMax = 10;
const lengthMask = 0x7f;
const opcodeMask = 0x0f;
const length16 = 126;
const length64 = 127;

/** Gets the first bytes of a payload, `[at, end)` of `bytes`, valid during the call only. */
export type OnHead = (opcode: number, bytes: Buffer, at: number, end: number) => void;

/** One connection's frames (RFC 6455 §5.2, unmasked, as servers send them). */
export class FrameReader {
  readonly #onHead: OnHead;
  /** Bytes of the current payload that are still to be passed over. */
  #skip = 0;
  /** The beginning of a frame that a read cut off. */
  readonly #cut = Buffer.alloc(headerBytesMax + headBytesMax);
  #cutBytes = 0;

  constructor(onHead: OnHead) {
    this.#onHead = onHead;
  }

  /** Takes what was read. */
  read(bytes: Buffer, length: number): void {
    let at = this.#cutBytes > 0 ? this.#finishCut(bytes, length) : 0;
    for (;;) {
      const step = Math.min(this.#skip, length - at);
      this.#skip -= step;
      at += step;
      if (at >= length) return;
      const used = this.#frame(bytes, at, length);
      if (used === 0) {
        this.#cutBytes = bytes.copy(this.#cut, 0, at, length);
        return;
      }
      at += used;
    }
  }

  /** Goes on with a frame that the last read cut off; returns how far that took it in `bytes`. */
  #finishCut(bytes: Buffer, length: number): number {
    const before = this.#cutBytes;
    const taken = bytes.copy(this.#cut, before, 0, length);
    const used = this.#frame(this.#cut, 0, before + taken);
    this.#cutBytes = used === 0 ? before + taken : 0;
    return used === 0 ? length : used - before;
  }

  /** Reads a frame's header and the head of its payload; 0 when they aren't all there. Leaves the rest to be skipped. */
  #frame(bytes: Buffer, from: number, length: number): number {
    if (from + 2 > length) return 0;
    const short = (bytes[from + 1] as number) & lengthMask;
    const headerBytes = short === length16 ? 4 : short === length64 ? headerBytesMax : 2;
    if (from + headerBytes > length) return 0;
    let payloadBytes = short;
    if (short === length16) payloadBytes = bytes.readUInt16BE(from + 2);
    else if (short === length64) payloadBytes = bytes.readUIntBE(from + 4, 6);
    const at = from + headerBytes;
    const end = at + Math.min(payloadBytes, headBytesMax);
    if (end > length) return 0;
    this.#onHead((bytes[from] as number) & opcodeMask, bytes, at, end);
    this.#skip = payloadBytes - (end - at);
    return end - from;
  }
}
