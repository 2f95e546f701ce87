// What becomes of the messages of one append.
import type { MsgHdrs } from "@nats-io/transport-node";

/** One message to store. */
export interface Outgoing {
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly payload: Buffer;
}

/** What storing messages together came to. */
export interface Stored {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of messages that were in the stream before. */
  readonly duplicates: number;
  /** Payloads and subjects of those that were not. */
  readonly newBytes: number;
}

/** JetStream's acknowledgement of one message. */
export interface PubAck {
  /** Of the message, or of the copy that was there before. */
  readonly seq: number;
  readonly duplicate?: boolean;
}

export interface PublicationOptions {
  readonly count: number;
  /** When it is given up, ms of the monotonic clock. */
  readonly deadlineMs: number;
  readonly resolve: (stored: Stored) => void;
  readonly reject: (error: Error) => void;
}

/** Messages that are stored together; it is over once. */
export class Publication {
  readonly deadlineMs: number;
  isOver = false;
  /** Messages that are known to be stored. */
  acknowledged = 0;
  readonly #options: PublicationOptions;
  /** Of the messages in the order given; negative for one that was there before. */
  readonly #seqs: number[];
  #newBytes = 0;

  constructor(options: PublicationOptions) {
    this.#options = options;
    this.deadlineMs = options.deadlineMs;
    this.#seqs = Array.from({ length: options.count }, () => 0);
  }

  get count(): number {
    return this.#seqs.length;
  }

  /**
   * Message `index` is stored; `attempts` times it was sent: a copy that is found is ours where that is more than once.
   * Returns whether this was the last one and they stand in another order than they were given in.
   */
  acknowledge(index: number, { seq, duplicate }: PubAck, attempts: number, bytes: number): "ordered" | "disordered" {
    const isOld = duplicate === true && attempts === 1;
    this.acknowledged += 1;
    this.#seqs[index] = isOld ? -seq : seq;
    if (!isOld) this.#newBytes += bytes;
    return this.acknowledged === this.count ? this.#finish() : "ordered";
  }

  giveUp(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#options.reject(error);
  }

  #finish(): "ordered" | "disordered" {
    if (this.isOver) return "ordered";
    this.isOver = true;
    let [firstSeq, lastSeq, newestSeq, duplicates] = [Number.MAX_SAFE_INTEGER, 0, 0, 0];
    let order: "ordered" | "disordered" = "ordered";
    for (const signed of this.#seqs) {
      const seq = Math.abs(signed);
      firstSeq = Math.min(firstSeq, seq);
      lastSeq = Math.max(lastSeq, seq);
      if (signed < 0) duplicates += 1;
      else if (seq < newestSeq) order = "disordered";
      else newestSeq = seq;
    }
    this.#options.resolve({ firstSeq, lastSeq, duplicates, newBytes: this.#newBytes });
    return order;
  }
}
