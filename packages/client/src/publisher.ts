// Publishing: what is handed in while a request is under way goes with the next one, and every try of an event has the
// same `event_id`, so that the service stores it once (protocol.md §8).
import type { Environment } from "./environment.js";
import type { HttpApi } from "./http-api.js";
import { closedError, SluiceError } from "./sluice-error.js";
import type { Tally } from "./status.js";

/** An event to publish; members as on the wire. */
export interface NewEvent {
  readonly event_type: string;
  readonly payload: unknown;
  readonly cluster_id?: string;
  /** 1 to 256 characters; a random one is given when absent. */
  readonly event_id?: string;
  /** RFC 3339; the time of arrival when absent. */
  readonly timestamp?: string;
  readonly source?: string;
  readonly subject?: string;
}

/** The events are durable. */
export interface Published {
  /** Of these events: those of the same call. */
  readonly accepted: number;
  /** Ids in the order of the events. */
  readonly event_ids: readonly string[];
  /** Positions of the first and the last event of the request that they went in; what others published lies between. */
  readonly first_seq: number;
  readonly last_seq: number;
  /** Events of that request that had been stored before, and were not stored again. */
  readonly duplicates: number;
}

/** Of a whole request. */
type Receipt = Pick<Published, "first_seq" | "last_seq" | "duplicates">;

interface Call {
  readonly texts: readonly string[];
  readonly size: number;
  readonly startedAt: number;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/** Events in one request, unless one call has more. */
const requestEventsMax = 500;
/** UTF-16 units in one request, unless one call has more. */
const requestSizeMax = 1_048_576;
/** Events that may wait. */
const queueEventsMax = 10_000;
/** UTF-16 units that may wait. */
const queueSizeMax = 16 * 1_048_576;
/** How long an event is tried for unless said otherwise, ms: well within the service's default dedup window of 2 min. */
const retryForMsDefault = 100_000;

export class Publisher {
  readonly #api: HttpApi;
  readonly #environment: Environment;
  readonly #tally: Tally;
  readonly #closing: AbortSignal;
  readonly #retryForMs: number;
  #queue: Call[] = [];
  #events = 0;
  #size = 0;
  #isSending = false;

  /** What waits is given up when `closing` is aborted. */
  constructor(
    api: HttpApi,
    environment: Environment,
    tally: Tally,
    closing: AbortSignal,
    retryForMs = retryForMsDefault,
  ) {
    this.#retryForMs = retryForMs;
    this.#closing = closing;
    this.#tally = tally;
    this.#api = api;
    this.#environment = environment;
  }

  /**
   * Resolves when all of `events` are durable; calls are sent in their order. The events of one call go in one request,
   * all or none. @throws {SluiceError} `QUEUE_FULL` at 10,000 events or 16 Mi characters waiting: await earlier calls
   * before handing in more; `FORBIDDEN` or `REFUSED` by the service; `UNAVAILABLE` after `publishForMs`, when it is not known
   * whether they were stored.
   */
  async publish(events: readonly NewEvent[]): Promise<Published> {
    const withIds = events.map((event) => ({ ...event, event_id: event.event_id ?? newId() }));
    const texts = withIds.map((event) => JSON.stringify(event));
    const size = texts.reduce((sum, text) => sum + text.length + 1, 0);
    if (this.#closing.aborted) throw closedError();
    if (this.#events > 0 && (this.#events + texts.length > queueEventsMax || this.#size + size > queueSizeMax)) {
      throw new SluiceError("QUEUE_FULL", `${this.#events} events wait to be published; await them first`);
    }
    const receipt = texts.length > 0 ? await this.#enqueue(texts, size) : { first_seq: 0, last_seq: 0, duplicates: 0 };
    return { accepted: texts.length, event_ids: withIds.map(({ event_id }) => event_id), ...receipt };
  }

  async #enqueue(texts: readonly string[], size: number): Promise<Receipt> {
    this.#events += texts.length;
    this.#size += size;
    try {
      const receipt = await new Promise<Receipt>((resolve, reject) => {
        this.#queue.push({ texts, size, startedAt: this.#environment.now(), resolve, reject });
        void this.#run();
      });
      this.#tally.published += texts.length;
      return receipt;
    } finally {
      this.#events -= texts.length;
      this.#size -= size;
    }
  }

  async #run(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    // Calls of the same turn go together.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#send(this.#takeBatch());
    this.#isSending = false;
  }

  #takeBatch(): Call[] {
    let events = 0;
    let size = 0;
    const count = this.#queue.findIndex((call) => {
      events += call.texts.length;
      size += call.size;
      return events > requestEventsMax || size > requestSizeMax;
    });
    return this.#queue.splice(0, count === -1 ? this.#queue.length : Math.max(1, count));
  }

  async #send(calls: readonly Call[]): Promise<void> {
    const [first] = calls;
    if (first === undefined) return;
    try {
      const {
        first_seq,
        last_seq,
        duplicates = 0,
      } = await this.#api.request({
        path: "api/v1/events",
        body: `[${calls.flatMap(({ texts }) => texts).join()}]`,
        signal: this.#closing,
        retryForMs: this.#retryForMs - (this.#environment.now() - first.startedAt),
      });
      const receipt = { first_seq, last_seq, duplicates };
      if (!Object.values(receipt).every(Number.isSafeInteger)) throw new SluiceError("REFUSED", "no answer of Sluice");
      for (const call of calls) call.resolve(receipt as Receipt);
    } catch (error) {
      const isRefused = error instanceof SluiceError && (error.code === "REFUSED" || error.code === "FORBIDDEN");
      // One bad event refuses the whole request: halves are tried until the call that it came with stands alone.
      if (isRefused && calls.length > 1) {
        const half = Math.ceil(calls.length / 2);
        await this.#send(calls.slice(0, half));
        await this.#send(calls.slice(half));
      } else for (const call of calls) call.reject(error);
    }
  }
}

const idBytes = 16;

/** 128 random bits; `crypto.randomUUID` is not there on pages without TLS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(idBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
