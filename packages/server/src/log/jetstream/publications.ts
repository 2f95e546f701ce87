// Events on their way into the stream: pipelined, each told apart by its message id, sent again under the same id until
// JetStream has acknowledged all of an append or its time is over.
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import type { Clock } from "@sluice/runtime";
import { LogError } from "../event-log.js";
import { apiErrors, isOutOfStorage, JetStreamApiError, parseReply } from "./jetstream-api.js";
import { Publication, type Outgoing, type PubAck, type Stored } from "./publication.js";

/** Messages and bytes sent and not acknowledged yet. */
const inFlightMax = 2048;
const inFlightBytesMax = 16 * 1024 * 1024;
/** An acknowledgement that has not come by then is not waited for, ms; the message is sent again. */
const acknowledgeMs = 2500;
const lookMs = 100;
/** Between two tries while JetStream refuses, ms. */
const retryPauseMs = 150;
/** Nobody takes messages for the stream now: it has no leader. */
const noResponders = 503;

interface Entry extends Outgoing {
  readonly publication: Publication;
  readonly index: number;
  readonly token: string;
  attempts: number;
  sentAtMs: number;
}

export interface PublicationsOptions {
  readonly nats: NatsConnection;
  readonly clock: Clock;
  /** `nats.publish_retry_ms`: for how long messages are sent again before their append is given up. */
  readonly retryMs: number;
  /** Told of an append of which events changed places, because a leader was lost in the middle of it. */
  readonly onDisorder: () => void;
}

/**
 * Sends messages and collects their acknowledgements. What fails is sent again in its order: first one message alone,
 * and the rest only after that is in, so that a new leader never gets the end of an append before its beginning.
 */
export class Publications {
  readonly #options: PublicationsOptions;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  readonly #timer: NodeJS.Timeout;
  readonly #inFlight = new Map<string, Entry>();
  #waiting: Entry[] = [];
  #next = 0;
  #inFlightBytes = 0;
  /** To be sent again, in order, before all that waits. */
  #failed: Entry[] = [];
  #isProbing = false;
  #retryAtMs = 0;
  #tokens = 0;
  #isConnected = true;
  #lastRefusal: unknown;

  constructor(options: PublicationsOptions) {
    this.#options = options;
    this.#inbox = createInbox();
    this.#subscription = options.nats.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
    this.#timer = setInterval(() => this.#look(), lookMs);
    this.#timer.unref();
  }

  /**
   * Stores messages in the order given. Resolves when JetStream has acknowledged all of them.
   * @throws {LogError} `LOG_UNREACHABLE` where not all were acknowledged in time: some of them may be stored. `LOG_FULL`.
   */
  publish(messages: readonly Outgoing[]): Promise<Stored> {
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#options.clock.now() + this.#options.retryMs;
      const publication = new Publication({ count: messages.length, deadlineMs, resolve, reject });
      for (const [index, message] of messages.entries()) {
        const token = `${(this.#tokens += 1)}`;
        this.#waiting.push({ ...message, publication, index, token, attempts: 0, sentAtMs: 0 });
      }
      this.#pump();
    });
  }

  /** What is on its way was lost with the connection, or may have been. */
  disconnected(): void {
    this.#isConnected = false;
    this.#fail([...this.#inFlight.values()], new Error("the connection to NATS was lost"));
  }

  connected(): void {
    this.#isConnected = true;
    this.#pump();
  }

  /** Ends it; what is under way is given up. */
  close(): void {
    clearInterval(this.#timer);
    const left = [...this.#inFlight.values(), ...this.#failed, ...this.#waiting.slice(this.#next)];
    for (const { publication } of left) publication.giveUp(new LogError("LOG_CLOSED", "the log is closed"));
    if (!this.#options.nats.isClosed()) this.#subscription.unsubscribe();
  }

  #pump(): void {
    if (!this.#isConnected) return;
    if (this.#failed.length > 0 || this.#isProbing) {
      this.#retry();
      return;
    }
    for (let entry = this.#waiting[this.#next]; entry !== undefined; entry = this.#waiting[this.#next]) {
      if (!this.#hasRoom(entry)) break;
      this.#next += 1;
      if (!entry.publication.isOver) this.#send(entry);
    }
    // Only now and then, so that a queue of many is not copied for each.
    if (this.#next > inFlightMax || this.#next === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  #hasRoom({ payload }: Entry): boolean {
    if (this.#inFlight.size === 0) return true;
    return this.#inFlight.size < inFlightMax && this.#inFlightBytes + payload.length <= inFlightBytesMax;
  }

  /** Nothing new is sent until what failed is in: first its first message alone. */
  #retry(): void {
    if (this.#inFlight.size > 0 || this.#options.clock.now() < this.#retryAtMs) return;
    this.#failed = this.#failed.filter(({ publication }) => !publication.isOver);
    const first = this.#failed.shift();
    if (first === undefined) {
      this.#isProbing = false;
      this.#pump();
      return;
    }
    this.#isProbing = true;
    this.#send(first);
  }

  #send(entry: Entry): void {
    entry.attempts += 1;
    entry.sentAtMs = this.#options.clock.now();
    this.#inFlight.set(entry.token, entry);
    this.#inFlightBytes += entry.payload.length;
    const { subject, payload, headers, token } = entry;
    this.#options.nats.publish(subject, payload, { headers, reply: `${this.#inbox}.${token}` });
  }

  #answered(message: Msg): void {
    const entry = this.#inFlight.get(message.subject.slice(this.#inbox.length + 1));
    if (entry === undefined) return;
    if (message.headers?.code === noResponders) {
      this.#fail([entry], new Error("the stream has no leader"));
      return;
    }
    let acknowledgement: PubAck;
    try {
      acknowledgement = parseReply(message.string()) as PubAck;
    } catch (error) {
      this.#refused(entry, error);
      return;
    }
    // 0: an earlier copy is still being stored.
    if (acknowledgement.seq > 0) this.#acknowledged(entry, acknowledgement);
    else this.#fail([entry], new Error("an earlier copy is still being stored"));
  }

  #refused(entry: Entry, error: unknown): void {
    const code = error instanceof JetStreamApiError ? error.code : undefined;
    if (isOutOfStorage(error)) {
      this.#remove(entry);
      entry.publication.giveUp(new LogError("LOG_FULL", "JetStream has no room for the events", { cause: error }));
      this.#pump();
      return;
    }
    if (apiErrors.tooLarge.some((known) => known === code)) {
      this.#remove(entry);
      entry.publication.giveUp(new RangeError("an event is over what the stream takes", { cause: error }));
      this.#pump();
      return;
    }
    this.#fail([entry], error);
  }

  #remove(entry: Entry): void {
    if (this.#inFlight.delete(entry.token)) this.#inFlightBytes -= entry.payload.length;
  }

  #acknowledged(entry: Entry, acknowledgement: PubAck): void {
    this.#remove(entry);
    const { publication, index, attempts, payload, subject } = entry;
    const order = publication.acknowledge(index, acknowledgement, attempts, payload.length + subject.length);
    if (order === "disordered") this.#options.onDisorder();
    if (this.#isProbing) this.#probed();
    else this.#pump();
  }

  /** One is in: the rest of what failed follows, and then all else. */
  #probed(): void {
    this.#isProbing = false;
    const again = this.#failed;
    this.#failed = [];
    this.#waiting = [...again, ...this.#waiting.slice(this.#next)];
    this.#next = 0;
    this.#pump();
  }

  #fail(entries: readonly Entry[], reason: unknown): void {
    if (entries.length === 0) return;
    this.#lastRefusal = reason;
    this.#retryAtMs = this.#options.clock.now() + retryPauseMs;
    for (const entry of entries) {
      this.#remove(entry);
      if (!entry.publication.isOver) this.#failed.push(entry);
    }
    this.#failed.sort((one, other) => Number(one.token) - Number(other.token));
    this.#isProbing = false;
  }

  #look(): void {
    const now = this.#options.clock.now();
    const late = [...this.#inFlight.values()].filter(({ sentAtMs }) => now - sentAtMs >= acknowledgeMs);
    this.#fail(late, new Error(`JetStream did not acknowledge within ${acknowledgeMs} ms`));
    for (const { publication } of [...this.#failed, ...this.#waiting.slice(this.#next)]) {
      if (now >= publication.deadlineMs) publication.giveUp(this.#timeIsOver(publication));
    }
    this.#pump();
  }

  #timeIsOver({ acknowledged, count }: Publication): LogError {
    const stored = `${acknowledged} of ${count} are known to be stored`;
    const message = `JetStream did not acknowledge the events within ${this.#options.retryMs} ms; ${stored}`;
    return new LogError("LOG_UNREACHABLE", message, { cause: this.#lastRefusal });
  }
}
