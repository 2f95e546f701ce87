// A place in the stream that messages are pulled from, in order: one short-lived consumer that acknowledges nothing.
// What it misses it does not hide: whoever reads looks at the seqs, and opens another.
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { askJetStream, toNs } from "./jetstream-api.js";

/** Bounds of one pull. */
export interface Pull {
  /** Most messages. */
  readonly batch: number;
  /** Most bytes, subject and headers counted; at least the largest message that the server takes. */
  readonly bytesMax: number;
  /** How long the server keeps it open, ms. */
  readonly expiresMs: number;
  /** How often the server says that it is there while it has nothing, ms; less than half of `expiresMs`. */
  readonly heartbeatMs?: number;
}

/** What a cursor tells. Called synchronously, in the order of arrival. */
export interface CursorListener {
  onMessage(message: Msg): void;
  /** A pull has ended early, or the server says that it is there (`100`); codes as in NATS' ADR-37. */
  onStatus(code: number): void;
}

/** The server says that it is there. */
export const heartbeatStatus = 100;
/** The consumer's answers that only say that a pull is over: nothing there, time over, bound met. */
const pullOver = new Set([404, 408]);

/** Whether a status ends no more than the pull; any other means that the consumer is of no use any more. */
export function endsPullOnly(code: number): boolean {
  return pullOver.has(code);
}

/** A consumer that nobody pulls from is removed by the server after this, ms. */
const inactiveMs = 60_000;
const createMsDefault = 5000;

/** A consumer of a stream. */
export class StreamCursor {
  readonly #nats: NatsConnection;
  readonly #stream: string;
  readonly #name: string;
  readonly #inbox: string;
  readonly #subscription: Subscription;

  private constructor(nats: NatsConnection, stream: string, name: string, listener: CursorListener) {
    this.#nats = nats;
    this.#stream = stream;
    this.#name = name;
    this.#inbox = createInbox();
    this.#subscription = nats.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error !== null) return;
        const code = message.headers?.code ?? 0;
        if (code === 0) listener.onMessage(message);
        else listener.onStatus(code);
      },
    });
  }

  /** Opens a place right after `after`, within `createMs`. @throws {JetStreamApiError}, or the client's errors where nobody answers. */
  static async open(
    nats: NatsConnection,
    stream: string,
    after: number,
    listener: CursorListener,
    createMs = createMsDefault,
  ): Promise<StreamCursor> {
    const config = {
      deliver_policy: "by_start_sequence",
      opt_start_seq: after + 1,
      ack_policy: "none",
      replay_policy: "instant",
      inactive_threshold: toNs(inactiveMs),
      mem_storage: true,
      num_replicas: 1,
      max_waiting: 8,
    };
    const { name } = await askJetStream<{ readonly name: string }>(
      nats,
      `CONSUMER.CREATE.${stream}`,
      { stream_name: stream, config },
      createMs,
    );
    return new StreamCursor(nats, stream, name, listener);
  }

  /** Asks for more; what comes is told to the listener. Pulls are served one after the other. */
  pull({ batch, bytesMax, expiresMs, heartbeatMs }: Pull): void {
    const request = {
      batch,
      max_bytes: bytesMax,
      expires: toNs(expiresMs),
      ...(heartbeatMs === undefined ? {} : { idle_heartbeat: toNs(heartbeatMs) }),
    };
    this.#nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`, JSON.stringify(request), {
      reply: this.#inbox,
    });
  }

  /** Ends it here, and at the server without waiting for that. */
  close(): void {
    if (this.#nats.isClosed()) return;
    this.#subscription.unsubscribe();
    this.#nats.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${this.#name}`);
  }
}
