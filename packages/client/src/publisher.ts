// Publishing: what is handed in while a request is under way goes with the next one, and every try of an event has the
// same `event_id`, so that the service stores it once (protocol.md §8).
import type { Environment } from "./environment.js";
import type { HttpApi } from "./http-api.js";
import { closedError, noAnswer, SluiceError } from "./sluice-error.js";
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

/**
 * Resolves when all of `events` are durable; calls are sent in their order. The events of one call go in one request,
 * all or none. @throws {SluiceError} `QUEUE_FULL` at 10,000 events or 16 Mi characters waiting: await earlier calls
 * before handing in more; `FORBIDDEN` or `REFUSED` by the service; `UNAVAILABLE` after `retryForMs`, when it is not known
 * whether they were stored.
 */
export type Publish = (events: readonly NewEvent[]) => Promise<Published>;

/** What waits is given up when `closing` is aborted. */
export function createPublisher(
  request: HttpApi,
  { now }: Environment,
  tally: Tally,
  closing: AbortSignal,
  retryForMs = retryForMsDefault,
): Publish {
  const queue: Call[] = [];
  let waitingEvents = 0;
  let waitingSize = 0;
  let isSending = false;

  const takeBatch = (): Call[] => {
    let events = 0;
    let size = 0;
    const count = queue.findIndex((call) => {
      events += call.texts.length;
      size += call.size;
      return events > requestEventsMax || size > requestSizeMax;
    });
    return queue.splice(0, count === -1 ? queue.length : Math.max(1, count));
  };

  const send = async (calls: readonly Call[]): Promise<void> => {
    try {
      const {
        first_seq,
        last_seq,
        duplicates = 0,
      } = await request({
        path: "api/v1/events",
        body: `[${calls.flatMap(({ texts }) => texts).join()}]`,
        signal: closing,
        retryForMs: retryForMs - (now() - (calls[0] as Call).startedAt),
      });
      const receipt = { first_seq, last_seq, duplicates };
      if (!Object.values(receipt).every(Number.isSafeInteger)) throw noAnswer();
      for (const call of calls) call.resolve(receipt as Receipt);
    } catch (error) {
      const isRefused = error instanceof SluiceError && (error.code === "REFUSED" || error.code === "FORBIDDEN");
      // One bad event refuses the whole request: halves are tried until the call that it came with stands alone.
      if (isRefused && calls.length > 1) {
        const half = Math.ceil(calls.length / 2);
        await send(calls.slice(0, half));
        await send(calls.slice(half));
      } else for (const call of calls) call.reject(error);
    }
  };

  const run = async (): Promise<void> => {
    if (isSending) return;
    isSending = true;
    // Calls of the same turn go together.
    await Promise.resolve();
    while (queue.length > 0) await send(takeBatch());
    isSending = false;
  };

  const enqueue = async (texts: readonly string[], size: number): Promise<Receipt> => {
    waitingEvents += texts.length;
    waitingSize += size;
    try {
      const receipt = await new Promise<Receipt>((resolve, reject) => {
        queue.push({ texts, size, startedAt: now(), resolve, reject });
        void run();
      });
      tally.published += texts.length;
      return receipt;
    } finally {
      waitingEvents -= texts.length;
      waitingSize -= size;
    }
  };

  return async (events) => {
    const withIds = events.map((event) => ({ ...event, event_id: event.event_id ?? newId() }));
    const texts = withIds.map((event) => JSON.stringify(event));
    const size = texts.join().length;
    if (closing.aborted) throw closedError();
    if (waitingEvents > 0 && (waitingEvents + texts.length > queueEventsMax || waitingSize + size > queueSizeMax)) {
      throw new SluiceError("QUEUE_FULL", `${waitingEvents} events wait to be published; await them first`);
    }
    const receipt = texts.length > 0 ? await enqueue(texts, size) : { first_seq: 0, last_seq: 0, duplicates: 0 };
    return { accepted: texts.length, event_ids: withIds.map(({ event_id }) => event_id), ...receipt };
  };
}

const idBytes = 16;

/** 128 random bits; `crypto.randomUUID` is not there on pages without TLS. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(idBytes));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
