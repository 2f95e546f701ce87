// The live feed of one node: every message of the stream from a place on, in order and once each, over whatever
// happens to the connection and the servers.
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "@sluice/runtime";
import type { EventRecord } from "../event-log.js";
import { retry } from "./jetstream-api.js";
import { endsPullOnly, heartbeatStatus, StreamCursor, type CursorListener } from "./stream-cursor.js";
import { placeOf, recordOf } from "./stored-message.js";

/** Messages of one pull. There are up to two at a time, so that the server never waits for us. */
const pullMessages = 1024;
const pullsMax = 2;
const pullBytesMin = 8 * 1024 * 1024;
const pullMs = 30_000;
const heartbeatMs = 500;
/** Nothing heard for this long, ms: the consumer is gone, or the way to it. */
const silenceMsMax = 2000;
const lookMs = 250;
/** Between two tries to open a consumer, ms; and how long the first and any may take. */
const reopenMs = 200;
const openMsFirst = 1500;
const openMsMax = 10_000;

export interface StreamFeedOptions {
  readonly nats: NatsConnection;
  readonly stream: string;
  readonly clock: Clock;
  /** Everything after this is told. */
  readonly after: number;
  /** Largest message that the server takes, bytes. */
  readonly messageBytesMax: number;
  /** In `seq` order, once each. `bytes`: what their messages hold, subjects and headers included. */
  readonly onRecords: (records: readonly EventRecord[], bytes: number) => void;
  /** Something was heard from the servers. */
  readonly onHeard: () => void;
  /** Told why a consumer had to be replaced. */
  readonly onTrouble: (error: Error) => void;
}

/** Follows a stream until it is stopped. */
export class StreamFeed {
  /** Everything up to this seq was told, or is gone. */
  seq: number;
  readonly #options: StreamFeedOptions;
  readonly #pullBytesMax: number;
  readonly #timer: NodeJS.Timeout;
  #cursor: StreamCursor | undefined;
  #generation = 0;
  #isOpening = false;
  /** Tries to open a consumer since the last that opened. */
  #tries = 0;
  #isStopped = false;
  #heardAtMs: number;
  #consumerSeq = 0;
  /** Messages that the pulls under way may still bring, the oldest pull first, which is the order they are served in. */
  #pulls: number[] = [];
  #batch: EventRecord[] = [];
  #batchBytes = 0;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    this.seq = options.after;
    this.#pullBytesMax = Math.max(pullBytesMin, 2 * options.messageBytesMax);
    this.#heardAtMs = options.clock.now();
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /** Opens the first consumer. @throws as `StreamCursor.open`; later ones are tried until one opens. */
  start(): Promise<void> {
    return retry(() => this.#open());
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#drop();
  }

  /** The connection was lost or is new: the consumer's messages may have gone with it. */
  restart(): void {
    this.#drop();
    this.#reopen();
  }

  async #open(): Promise<void> {
    const { nats, stream, clock } = this.#options;
    const generation = (this.#generation += 1);
    this.#consumerSeq = 0;
    const isMine = (): boolean => generation === this.#generation;
    const listener: CursorListener = {
      onMessage: (message) => {
        if (isMine()) this.#take(message);
      },
      onStatus: (code) => {
        if (isMine()) this.#status(code);
      },
    };
    // The servers may be electing and say nothing; a machine may be slow and need longer.
    const openMs = Math.min(openMsFirst * 2 ** this.#tries, openMsMax);
    this.#tries += 1;
    const cursor = await StreamCursor.open(nats, stream, this.seq, listener, openMs);
    this.#tries = 0;
    if (!isMine() || this.#isStopped) {
      cursor.close();
      return;
    }
    this.#cursor = cursor;
    this.#heardAtMs = clock.now();
    this.#pulls = [];
    this.#pull();
  }

  #pull(): void {
    while (this.#pulls.length < pullsMax) {
      this.#pulls.push(pullMessages);
      this.#cursor?.pull({ batch: pullMessages, bytesMax: this.#pullBytesMax, expiresMs: pullMs, heartbeatMs });
    }
  }

  #take(message: Msg): void {
    this.#heard();
    const place = placeOf(message);
    if (place.consumerSeq !== this.#consumerSeq + 1 || place.seq <= this.seq) {
      this.#replace(`a message was lost on the way: delivery ${place.consumerSeq} after ${this.#consumerSeq}`);
      return;
    }
    this.#consumerSeq = place.consumerSeq;
    this.seq = place.seq;
    if (this.#batch.length === 0) queueMicrotask(() => this.#tell());
    this.#batch.push(recordOf(message.subject, message.headers, message.data, place));
    this.#batchBytes += message.subject.length + message.data.length;
    const left = (this.#pulls[0] ?? 1) - 1;
    this.#pulls[0] = left;
    if (left > 0) return;
    this.#pulls.shift();
    this.#pull();
  }

  /** What came in one piece from the socket is told in one piece. */
  #tell(): void {
    const [records, bytes] = [this.#batch, this.#batchBytes];
    this.#batch = [];
    this.#batchBytes = 0;
    if (!this.#isStopped) this.#options.onRecords(records, bytes);
  }

  #status(code: number): void {
    this.#heard();
    if (code === heartbeatStatus) return;
    if (endsPullOnly(code)) {
      this.#pulls.shift();
      this.#pull();
    } else this.#replace(`its pull was ended with status ${code}`);
  }

  #heard(): void {
    this.#heardAtMs = this.#options.clock.now();
    this.#options.onHeard();
  }

  #look(): void {
    if (this.#cursor === undefined || this.#options.clock.now() - this.#heardAtMs < silenceMsMax) return;
    this.#replace(`nothing was heard of it for ${silenceMsMax} ms`);
  }

  #replace(why: string): void {
    this.#options.onTrouble(new Error(`the consumer behind seq ${this.seq} is replaced: ${why}`));
    this.restart();
  }

  #drop(): void {
    this.#generation += 1;
    this.#cursor?.close();
    this.#cursor = undefined;
  }

  #reopen(): void {
    if (this.#isOpening || this.#isStopped) return;
    this.#isOpening = true;
    const tryAgain = (): void => {
      this.#isOpening = false;
      if (this.#cursor === undefined) setTimeout(() => this.#reopen(), reopenMs).unref();
    };
    // Nobody answers while there is no connection or no leader; that is told by whoever watches the contact.
    this.#open().then(tryAgain, tryAgain);
  }
}
