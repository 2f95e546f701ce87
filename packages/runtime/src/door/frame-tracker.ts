// Follows the frames of one direction (RFC 6455 §5.2): where they begin and end, and whether their headers are right.
// Payloads are passed over, but for the code of a close frame. Pure.

/** What is wrong: the framing, or a frame over the bound. */
export type FrameFault = "protocol" | "too-big";

export interface FrameTrackerOptions {
  /** Whether frames must be masked, as a client's, or must not, as a server's (RFC 6455 §5.1). */
  readonly masked: boolean;
  /** Largest payload of one frame, bytes. */
  readonly frameBytesMax: number;
  /** Reserved bits that an agreed extension gives a meaning to: 0b100 for permessage-deflate (RFC 7692 §6). */
  readonly reservedBits: number;
}

const opcodeContinuation = 0;
const opcodeClose = 8;
const dataOpcodeMax = 2;
const controlOpcodeMax = 10;
const controlBytesMax = 125;
const length16 = 126;
const length64 = 127;
const length16Max = 0xffff;
const shortHeader = 2;
const maskBytes = 4;
/** First byte, length, eight bytes of length, mask. */
const headerBytesMax = 14;
/** "No code was there" (RFC 6455 §7.4.1); never on the wire. */
const noCode = 1005;

/** One direction. */
export class FrameTracker {
  /** In the chunk that was followed last: where its last whole frame ends; 0 when none ended in it. */
  boundary = 0;
  /** Once set nothing more is followed: what comes after `boundary` must not be passed on. */
  fault: FrameFault | undefined;
  /** The code of the close frame, 1005 where it has none; nothing more is followed after it. */
  closeCode: number | undefined;
  readonly #options: FrameTrackerOptions;
  readonly #header = Buffer.allocUnsafe(headerBytesMax);
  #headerHave = 0;
  #headerNeed = shortHeader;
  #payloadLeft = 0;
  #payloadBytes = 0;
  #isInMessage = false;

  constructor(options: FrameTrackerOptions) {
    this.#options = options;
  }

  /** Whether all that was followed is whole frames. */
  get isAtBoundary(): boolean {
    return this.#headerHave === 0;
  }

  /** Bytes of the frame that has begun and not ended, header included, as far as its header tells; 0 at a boundary. */
  get frameBytes(): number {
    return this.#headerHave === 0 ? 0 : this.#headerNeed + this.#payloadBytes;
  }

  /** Follows the next bytes; then see `boundary`, `fault` and `closeCode`. */
  follow(chunk: Uint8Array): void {
    this.boundary = 0;
    let at = 0;
    while (at < chunk.length && this.fault === undefined && this.closeCode === undefined) {
      at = this.#headerHave < this.#headerNeed ? this.#followHeader(chunk, at) : this.#followPayload(chunk, at);
      if (this.#headerHave === this.#headerNeed && this.#payloadLeft === 0 && this.fault === undefined) {
        this.#endFrame();
        this.boundary = at;
      }
    }
  }

  #followHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerHave < this.#headerNeed) {
      this.#header[this.#headerHave] = chunk[at] ?? 0;
      this.#headerHave += 1;
      at += 1;
      if (this.#headerHave === shortHeader) this.#readStart();
      if (this.fault !== undefined) return at;
    }
    if (this.#headerHave === this.#headerNeed) this.#readLength();
    return at;
  }

  #readStart(): void {
    const [first = 0, second = 0] = this.#header;
    const opcode = first & 0x0f;
    const reserved = (first >> 4) & 0b111;
    const isFinal = (first & 0x80) !== 0;
    const length = second & 0x7f;
    const isControl = opcode >= opcodeClose;
    if (((second & 0x80) !== 0) !== this.#options.masked) return this.#refuse("protocol");
    if (isControl) {
      if (opcode > controlOpcodeMax || !isFinal || length > controlBytesMax || reserved !== 0)
        return this.#refuse("protocol");
      if (opcode === opcodeClose && length === 1) return this.#refuse("protocol");
    } else {
      const isContinuation = opcode === opcodeContinuation;
      if (opcode > dataOpcodeMax || isContinuation !== this.#isInMessage) return this.#refuse("protocol");
      if ((reserved & ~(isContinuation ? 0 : this.#options.reservedBits)) !== 0) return this.#refuse("protocol");
      this.#isInMessage = !isFinal;
    }
    const extended = length === length16 ? 2 : length === length64 ? 8 : 0;
    this.#headerNeed = shortHeader + extended + (this.#options.masked ? maskBytes : 0);
  }

  #readLength(): void {
    const length = (this.#header[1] ?? 0) & 0x7f;
    if (length === length16) this.#payloadBytes = this.#header.readUInt16BE(shortHeader);
    else if (length === length64) this.#payloadBytes = Number(this.#header.readBigUInt64BE(shortHeader));
    else this.#payloadBytes = length;
    this.#payloadLeft = this.#payloadBytes;
    // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
    const isTooWide =
      length === length64 ? this.#payloadBytes <= length16Max : length === length16 && this.#payloadBytes < length16;
    if (isTooWide) return this.#refuse("protocol");
    if (this.#payloadBytes > this.#options.frameBytesMax) this.#refuse("too-big");
  }

  #followPayload(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#payloadLeft, chunk.length - at);
    if (this.#opcode === opcodeClose) this.#readCloseCode(chunk.subarray(at, at + taken));
    this.#payloadLeft -= taken;
    return at + taken;
  }

  get #opcode(): number {
    return (this.#header[0] ?? 0) & 0x0f;
  }

  #closeHigh = 0;

  /** The first two bytes of the payload, which may come apart. */
  #readCloseCode(payload: Uint8Array): void {
    const done = this.#payloadBytes - this.#payloadLeft;
    for (let index = done; index < Math.min(done + payload.length, 2); index += 1) {
      const mask = this.#options.masked ? (this.#header[this.#headerNeed - maskBytes + index] ?? 0) : 0;
      const byte = (payload[index - done] ?? 0) ^ mask;
      if (index === 0) this.#closeHigh = byte;
      else this.#pendingCode = (this.#closeHigh << 8) | byte;
    }
  }

  #pendingCode = noCode;

  #endFrame(): void {
    if (this.#opcode === opcodeClose) this.closeCode = this.#pendingCode;
    this.#headerHave = 0;
    this.#headerNeed = shortHeader;
    this.#payloadBytes = 0;
  }

  #refuse(fault: FrameFault): void {
    this.fault = fault;
  }
}
