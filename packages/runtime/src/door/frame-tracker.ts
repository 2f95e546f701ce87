// Follows the frames of one direction (RFC 6455 §5.2): where they begin and end, and whether their headers are right.
// Payloads are passed over, but for the code of a close frame. Pure, and small: there are two for every tunnel.

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
/** First bytes of a message in one frame, not compressed (RFC 6455 §5.2). */
const finalText = 0x81;
const finalBinary = 0x82;
const byteValues = 256;
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
  /** Whether the last whole frame ended a message, and not only a fragment of one (RFC 6455 §5.4). */
  isBetweenMessages = true;
  readonly #isMasked: boolean;
  readonly #frameBytesMax: number;
  readonly #reservedBits: number;
  #opcode = 0;
  #headerHave = 0;
  #headerNeed = shortHeader;
  /** Where the extended length ends within the header. */
  #lengthEnd = shortHeader;
  /** The first two bytes of the mask: all that the code of a close needs. */
  #mask = 0;
  #payloadLeft = 0;
  #payloadBytes = 0;
  #isInMessage = false;
  #pendingCode = noCode;

  constructor({ masked, frameBytesMax, reservedBits }: FrameTrackerOptions) {
    this.#isMasked = masked;
    this.#frameBytesMax = frameBytesMax;
    this.#reservedBits = reservedBits;
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
      if (this.#headerHave === 0) {
        at = this.#passWholeFrames(chunk, at);
        if (at === chunk.length) return;
      }
      at = this.#headerHave < this.#headerNeed ? this.#followHeader(chunk, at) : this.#followPayload(chunk, at);
      if (this.#headerHave === this.#headerNeed && this.#payloadLeft === 0 && this.fault === undefined) {
        this.#endFrame();
        this.boundary = at;
      }
    }
  }

  /** The quick way over whole messages in one frame, where nothing is special; stops before whatever is. */
  #passWholeFrames(chunk: Uint8Array, start: number): number {
    const maskBit = this.#isMasked ? 0x80 : 0;
    const after = this.#isMasked ? maskBytes : 0;
    let at = start;
    while (!this.#isInMessage && at + shortHeader < chunk.length) {
      const first = chunk[at] ?? 0;
      const second = chunk[at + 1] ?? 0;
      const length = second & 0x7f;
      const isPlain = first === finalText || first === finalBinary;
      if (!isPlain || (second & 0x80) !== maskBit || length > length16) break;
      let end = at + shortHeader + after + length;
      if (length === length16) {
        const extended = ((chunk[at + 2] ?? 0) << 8) | (chunk[at + 3] ?? 0);
        if (extended < length16 || extended > this.#frameBytesMax) break;
        end = at + shortHeader + 2 + after + extended;
      }
      if (end > chunk.length || length > this.#frameBytesMax) break;
      at = end;
    }
    if (at > start) this.boundary = at;
    return at;
  }

  #followHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerHave < this.#headerNeed) {
      const byte = chunk[at] ?? 0;
      const place = this.#headerHave;
      this.#headerHave = place + 1;
      at += 1;
      if (place === 0) this.#readFirst(byte);
      else if (place === 1) this.#readSecond(byte);
      else if (place < this.#lengthEnd) this.#payloadBytes = this.#payloadBytes * byteValues + byte;
      else if (place < this.#lengthEnd + 2) this.#mask = this.#mask * byteValues + byte;
      if (this.fault !== undefined) return at;
    }
    if (this.#headerHave === this.#headerNeed) this.#endHeader();
    return at;
  }

  #endHeader(): void {
    this.#payloadLeft = this.#payloadBytes;
    const extended = this.#lengthEnd - shortHeader;
    // RFC 6455 §5.2: "the minimal number of bytes MUST be used to encode the length".
    const needed = this.#payloadBytes > length16Max ? 8 : this.#payloadBytes < length16 ? 0 : 2;
    if (extended !== needed) this.fault = "protocol";
    else if (this.#payloadBytes > this.#frameBytesMax) this.fault = "too-big";
  }

  /** Opcode and bits; what depends on the length is left to the second byte. */
  #readFirst(first: number): void {
    const opcode = first & 0x0f;
    const reserved = (first >> 4) & 0b111;
    const isFinal = (first & 0x80) !== 0;
    this.#opcode = opcode;
    if (opcode >= opcodeClose) {
      if (opcode > controlOpcodeMax || !isFinal || reserved !== 0) this.fault = "protocol";
      return;
    }
    const isContinuation = opcode === opcodeContinuation;
    const allowedBits = isContinuation ? 0 : this.#reservedBits;
    if (opcode > dataOpcodeMax || isContinuation !== this.#isInMessage || (reserved & ~allowedBits) !== 0) {
      this.fault = "protocol";
      return;
    }
    this.#isInMessage = !isFinal;
  }

  #readSecond(second: number): void {
    const length = second & 0x7f;
    const isControl = this.#opcode >= opcodeClose;
    if (((second & 0x80) !== 0) !== this.#isMasked || (isControl && length > controlBytesMax)) {
      this.fault = "protocol";
      return;
    }
    if (this.#opcode === opcodeClose && length === 1) {
      this.fault = "protocol";
      return;
    }
    const extended = length === length16 ? 2 : length === length64 ? 8 : 0;
    this.#payloadBytes = extended === 0 ? length : 0;
    this.#lengthEnd = shortHeader + extended;
    this.#headerNeed = this.#lengthEnd + (this.#isMasked ? maskBytes : 0);
    this.#mask = 0;
  }

  #followPayload(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#payloadLeft, chunk.length - at);
    if (this.#opcode === opcodeClose) this.#readCloseCode(chunk, at, taken);
    this.#payloadLeft -= taken;
    return at + taken;
  }

  /** The first two bytes of the payload, which may come apart. */
  #readCloseCode(chunk: Uint8Array, at: number, taken: number): void {
    const done = this.#payloadBytes - this.#payloadLeft;
    for (let index = done; index < Math.min(done + taken, 2); index += 1) {
      const maskByte = index === 0 ? this.#mask >> 8 : this.#mask & 0xff;
      const byte = (chunk[at + index - done] ?? 0) ^ maskByte;
      this.#pendingCode = index === 0 ? byte : (this.#pendingCode << 8) | byte;
    }
  }

  #endFrame(): void {
    if (this.#opcode === opcodeClose) this.closeCode = this.#pendingCode;
    this.isBetweenMessages = !this.#isInMessage;
    this.#headerHave = 0;
    this.#headerNeed = shortHeader;
    this.#payloadBytes = 0;
  }
}
