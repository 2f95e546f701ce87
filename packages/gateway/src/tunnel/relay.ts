// One direction of a tunnel: bytes from a source to a sink, whole frames at a time, never more held than the bound.
import type { Socket } from "node:net";
import type { FrameTracker } from "@sluice/runtime";
import type { OutgoingChunks } from "./outgoing-chunks.js";

/** Whoever joins two relays to a tunnel, and hears of both: one object, so that a tunnel needs no closures for it. */
export interface RelayOwner {
  /** The sink does not take what it was given: the source is not to be read. */
  relayStalled(relay: Relay): void;
  /** The sink has taken all of it. */
  relayFlows(relay: Relay): void;
  /** A close frame went through, or a fault was found; nothing more goes through. */
  relayEnded(relay: Relay): void;
  /** Bytes were handed to the sink. */
  relayPassed(relay: Relay, count: number): void;
}

/**
 * Passes frames on as they are. A frame that has not arrived whole is held back up to `holdBytesMax`, so that the sink
 * stands between two frames and can be sent a close at any time; a larger frame is passed on as it comes.
 */
export class Relay {
  readonly #tracker: FrameTracker;
  readonly #owner: RelayOwner;
  readonly #sink: Socket;
  readonly #holdBytesMax: number;
  readonly #chunks: OutgoingChunks;
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  #isInFrame = false;
  #isStalled = false;
  #isEnded = false;
  #atBoundary: (() => void) | undefined;
  #announcement: Buffer | undefined;
  #onWritten: (() => void) | undefined;

  constructor(options: {
    tracker: FrameTracker;
    owner: RelayOwner;
    sink: Socket;
    holdBytesMax: number;
    chunks: OutgoingChunks;
  }) {
    this.#tracker = options.tracker;
    this.#owner = options.owner;
    this.#sink = options.sink;
    this.#holdBytesMax = options.holdBytesMax;
    this.#chunks = options.chunks;
  }

  /** Bytes of a frame that has not arrived whole. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** Whether nothing more goes through: after a close frame, a fault, or {@link inject}. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** `chunk` is lent for the call. */
  receive(chunk: Buffer): void {
    if (this.#isEnded) return;
    const tracker = this.#tracker;
    tracker.follow(chunk);
    const { boundary } = tracker;
    const isOver = tracker.fault !== undefined || tracker.closeCode !== undefined;
    const isPartial = !isOver && !tracker.isAtBoundary;
    const partialBytes = isPartial ? chunk.length - boundary : 0;
    const isStreamed = isPartial && this.#isTooLargeToHold(partialBytes, boundary === 0);
    if (boundary > 0 || isStreamed) this.#isInFrame = isStreamed;
    const passed = isStreamed ? chunk.length : boundary;
    if (passed > 0) this.#write(passed === chunk.length ? chunk : chunk.subarray(0, passed));
    if (isPartial && !isStreamed) this.#hold(chunk.subarray(boundary));
    if (isOver) this.#end();
    else if (!this.#isInFrame) this.#reachBoundary();
  }

  /**
   * Ends the direction with bytes of our own, when the sink stands between two frames: now, or as soon as it does. After
   * a close frame of the peer's nothing is added to it; after a fault something is, since nobody has said goodbye.
   */
  inject(bytes: Buffer, onDone: () => void): void {
    if (this.#isEnded && this.#tracker.fault === undefined) return;
    this.#atBoundary ??= () => {
      this.#isEnded = true;
      this.#drop();
      if (this.#sink.writable) this.#sink.write(bytes);
      onDone();
    };
    if (!this.#isInFrame) this.#reachBoundary();
  }

  /** Puts a message of our own between two of the peer's: now, or after the one under way; not after the end. */
  announce(bytes: Buffer): void {
    this.#announcement = bytes;
    if (!this.#isInFrame) this.#reachBoundary();
  }

  /** Whether the sink stands between two frames. */
  get canInject(): boolean {
    return !this.#isEnded && !this.#isInFrame;
  }

  #isTooLargeToHold(partialBytes: number, isSameFrame: boolean): boolean {
    if (isSameFrame && this.#isInFrame) return true;
    const held = isSameFrame ? this.#heldBytes + partialBytes : partialBytes;
    return Math.max(held, this.#tracker.frameBytes) > this.#holdBytesMax;
  }

  #hold(rest: Buffer): void {
    this.#held ??= [];
    this.#held.push(Buffer.from(rest));
    this.#heldBytes += rest.length;
  }

  #write(chunk: Buffer): void {
    const sink = this.#sink;
    if (!sink.writable) return;
    const count = this.#heldBytes + chunk.length;
    const piece = this.#chunks.take(count);
    let at = 0;
    for (const part of this.#held ?? []) at += part.copy(piece, at);
    chunk.copy(piece, at);
    this.#drop();
    sink.write(count === piece.length ? piece : piece.subarray(0, count), this.#written());
    this.#owner.relayPassed(this, count);
    // Not the socket's own mark, which lets pass 16 KiB: whatever the kernel does not take at once stalls the source.
    if (sink.writableLength === 0) return this.#chunks.give(piece);
    if (this.#isStalled) return;
    this.#isStalled = true;
    this.#owner.relayStalled(this);
  }

  /** Made when the first bytes go through: an idle tunnel has none. */
  #written(): () => void {
    this.#onWritten ??= () => {
      if (!this.#isStalled || this.#sink.writableLength > 0) return;
      this.#isStalled = false;
      this.#owner.relayFlows(this);
    };
    return this.#onWritten;
  }

  #drop(): void {
    this.#held = undefined;
    this.#heldBytes = 0;
  }

  #reachBoundary(): void {
    const announcement = this.#announcement;
    if (announcement !== undefined && this.#tracker.isBetweenMessages && !this.#isEnded) {
      this.#announcement = undefined;
      // Behind bytes that wait it is what wakes the source.
      if (this.#sink.writable) this.#sink.write(announcement, this.#written());
    }
    const act = this.#atBoundary;
    this.#atBoundary = undefined;
    act?.();
  }

  #end(): void {
    this.#isEnded = true;
    this.#drop();
    this.#owner.relayEnded(this);
  }
}
