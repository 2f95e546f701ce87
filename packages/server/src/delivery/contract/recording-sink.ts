// A transport whose room a test decides: it takes everything, as a socket does, and says when it is full.
import type { CloseEntry } from "@sluice/protocol";
import type { Sink } from "../sink.js";

/** One frame as a client reads it; of an event only what the tests compare. */
export interface ReadFrame {
  readonly type: string;
  readonly bytes: number;
  readonly [member: string]: unknown;
}

const eventHead = /^\{"type":"event","seq":(\d+),/;

/** Reads the server's frames (RFC 6455 §5.2, unmasked, FIN set) from what one write carried. */
export function readFrames(bytes: Buffer): ReadFrame[] {
  const frames: ReadFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] !== 0x81) throw new Error(`byte ${at} begins no text frame`);
    const short = bytes.readUInt8(at + 1);
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const end = start + length;
    if (end > bytes.length) throw new Error("a frame goes on past the write");
    const event = eventHead.exec(bytes.toString("latin1", start, Math.min(end, start + 64)));
    if (event === null)
      frames.push({ ...(JSON.parse(bytes.toString("utf8", start, end)) as ReadFrame), bytes: end - at });
    else frames.push({ type: "event", seq: Number(event[1]), bytes: end - at });
    at = end;
  }
  return frames;
}

/** Keeps what is written; blocks when the room that it was given last is used up. */
export class RecordingSink implements Sink {
  readonly frames: ReadFrame[] = [];
  /** What delivery must never do to a transport. */
  readonly misuses: string[] = [];
  /** Told of each frame when it is written. */
  onFrame: (frame: ReadFrame) => void = () => undefined;
  onClose: (entry: CloseEntry) => void = () => undefined;
  closedWith: CloseEntry | undefined;
  isHeld = false;
  isBlocked = false;
  writes = 0;
  #room = Number.POSITIVE_INFINITY;
  /** What it was handed last and has not passed on, and what that said then. */
  #held: { readonly bytes: Buffer; readonly copy: Buffer } | undefined;

  /** Takes `room` more bytes and then says that it is full; the write that reaches it is still taken whole. */
  limit(room: number): void {
    this.#room = room;
  }

  /** What it holds has gone, and there is room for `room` bytes. The caller tells delivery. */
  drain(room: number): void {
    if (this.#held?.bytes.equals(this.#held.copy) === false) this.misuses.push("bytes changed while it held them");
    this.#held = undefined;
    this.#room = room;
    this.isBlocked = false;
  }

  write(bytes: Buffer): boolean {
    this.writes += 1;
    if (this.isBlocked) this.misuses.push("a write to a transport that had said it was full");
    if (this.closedWith !== undefined) this.misuses.push("a write after the close");
    if (bytes.length === 0) this.misuses.push("a write of nothing");
    for (const frame of readFrames(bytes)) {
      this.frames.push(frame);
      this.onFrame(frame);
    }
    this.#room -= bytes.length;
    this.isBlocked = this.#room <= 0;
    if (this.isBlocked) this.#held = { bytes, copy: Buffer.from(bytes) };
    return !this.isBlocked;
  }

  get holdsBytes(): boolean {
    return this.#held !== undefined;
  }

  close(entry: CloseEntry): void {
    if (this.closedWith !== undefined) this.misuses.push("a second close");
    this.closedWith = entry;
    this.onClose(entry);
  }

  holdCommands(hold: boolean): void {
    if (hold === this.isHeld) this.misuses.push(hold ? "commands held twice" : "commands let go that were not held");
    this.isHeld = hold;
  }

  /** Seqs of the events written so far. */
  get seqs(): number[] {
    return this.frames.filter((frame) => frame.type === "event").map((frame) => frame.seq as number);
  }

  /** Types of the frames written so far, runs of events as `event×n`. */
  get story(): string[] {
    const story: string[] = [];
    let events = 0;
    const flush = (): void => {
      if (events > 0) story.push(`event×${events}`);
      events = 0;
    };
    for (const { type, state } of this.frames) {
      if (type === "event") events += 1;
      else {
        flush();
        story.push(type === "lag" ? `lag ${String(state)}` : type);
      }
    }
    flush();
    return story;
  }
}
