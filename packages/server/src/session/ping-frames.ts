// The heartbeat's frames (protocol §2): pings of one moment say the same, so they are one frame.
import { wireTime, type ServerFrame } from "@sluice/protocol";

/** Keeps the last ping that was made. */
export class PingFrames {
  #wallMs = Number.NaN;
  #seq = -1;
  #frame: ServerFrame | undefined;

  /** The ping of a moment, given by the wall clock; the same object again while neither time nor `seq` has changed. */
  frameFor(wallMs: number, seq: number): ServerFrame {
    const ms = Math.floor(wallMs);
    if (this.#frame === undefined || ms !== this.#wallMs || seq !== this.#seq) {
      this.#wallMs = ms;
      this.#seq = seq;
      this.#frame = { type: "ping", timestamp: wireTime(wallMs), seq };
    }
    return this.#frame;
  }
}
