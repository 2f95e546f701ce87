// Looks at every frame of one connection: is each event the next one, is anything announced as missing.

import { FrameReader } from "./frame-reader.js";

const textOpcode = 1;
const closeOpcode = 8;
const eventPrefix = Buffer.from('{"type":"event","seq":');
const zero = 0x30;
const nine = 0x39;

/** What one connection was sent. */
export interface Received {
  readonly events: number;
  /** 0 before the first event. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Events whose seq wasn't the next after the event before: something is missing, repeated or out of order. */
  readonly breaks: number;
  readonly gaps: number;
  readonly isLive: boolean;
  readonly isClosed: boolean;
}

function startsWith(bytes: Buffer, at: number, end: number, prefix: Buffer): boolean {
  return bytes.compare(prefix, 0, prefix.length, at, Math.min(end, at + prefix.length)) === 0;
}

/** Follows the seqs of one connection whose subscription matches each `stride`-th event that is published. */
export class SeqCheck implements Received {
  events = 0;
  firstSeq = 0;
  lastSeq = 0;
  breaks = 0;
  gaps = 0;
  isLive = false;
  isClosed = false;
  readonly #stride: number;
  readonly #frames = new FrameReader((opcode, bytes, at, end) => this.#look(opcode, bytes, at, end));

  constructor(stride = 1) {
    this.#stride = stride;
  }

  read(bytes: Buffer, length: number): void {
    this.#frames.read(bytes, length);
  }

  /** Plain values, for a message to the parent. */
  get received(): Received {
    const { events, firstSeq, lastSeq, breaks, gaps, isLive, isClosed } = this;
    return { events, firstSeq, lastSeq, breaks, gaps, isLive, isClosed };
  }

  #look(opcode: number, bytes: Buffer, at: number, end: number): void {
    if (opcode === closeOpcode) this.isClosed = true;
    if (opcode !== textOpcode) return;
    if (startsWith(bytes, at, end, eventPrefix)) {
      this.#event(bytes, at + eventPrefix.length, end);
      return;
    }
    const head = bytes.toString("latin1", at, end);
    if (head.startsWith('{"type":"gap"')) this.gaps += 1;
    else if (head.startsWith('{"type":"live"')) this.isLive = true;
  }

  #event(bytes: Buffer, at: number, end: number): void {
    let seq = 0;
    for (let index = at; index < end; index += 1) {
      const digit = bytes[index] as number;
      if (digit < zero || digit > nine) break;
      seq = seq * 10 + (digit - zero);
    }
    if (this.events === 0) this.firstSeq = seq;
    else if (seq !== this.lastSeq + this.#stride) this.breaks += 1;
    this.lastSeq = seq;
    this.events += 1;
  }
}
