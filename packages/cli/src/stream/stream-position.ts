// Where a stream stands: what has been received, so that the next connection goes on behind it.
import type { ServerMessage } from "./server-message.js";

/** The members of `subscribe` that ask for a replay (protocol.md §3). */
export interface ResumePoint {
  readonly since: number;
  readonly epoch?: string;
}

/** The last position that is known to be complete. Pure; it is told of every frame in order. */
export class StreamPosition {
  #seq: number | undefined;
  /** The log that `#seq` belongs to. */
  #epoch: string | undefined;
  /** The log of the present connection. */
  #connectedEpoch: string | undefined;

  /** `start`: what was asked for on the command line; without it the stream begins live. */
  constructor(start?: ResumePoint) {
    this.#seq = start?.since;
    this.#epoch = start?.epoch;
  }

  /** Everything up to here was received or told as missing; undefined before the first subscription. */
  get seq(): number | undefined {
    return this.#seq;
  }

  /** What the next `subscribe` asks for; undefined = live only. */
  get resumePoint(): ResumePoint | undefined {
    if (this.#seq === undefined) return undefined;
    return { since: this.#seq, ...(this.#epoch === undefined ? {} : { epoch: this.#epoch }) };
  }

  /** Takes note of a frame. @returns whether the server's log is another one than before. */
  note(message: ServerMessage): boolean {
    switch (message.type) {
      case "connected": {
        const isOther = this.#epoch !== undefined && this.#epoch !== message.epoch;
        this.#connectedEpoch = message.epoch;
        return isOther;
      }
      case "subscribed":
        this.#enterLog(message.seq);
        return false;
      case "gap":
        if (message.reason === "epoch") this.#seq = message.to_seq;
        else this.#advance(message.to_seq);
        return false;
      case "event":
      case "ping":
      case "live":
        this.#advance(message.seq);
        return false;
      default:
        return false;
    }
  }

  /** Positions are counted in the present log from now on; a replay starts from its beginning where it is another. */
  #enterLog(liveSeq: number): void {
    if (this.#seq === undefined) this.#seq = liveSeq;
    else if (this.#epoch !== undefined && this.#epoch !== this.#connectedEpoch) this.#seq = 0;
    this.#epoch = this.#connectedEpoch;
  }

  #advance(seq: number): void {
    if (this.#seq === undefined || seq > this.#seq) this.#seq = seq;
  }
}
