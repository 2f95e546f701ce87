// History by position: places in the stream are kept open for a while, so that who reads page after page goes on where
// the last page ended.
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { LogError, type LogPage, type ReadOptions } from "../event-log.js";
import { PageBuilder } from "../page-builder.js";
import { isTransient } from "./jetstream-api.js";
import { nextMatch } from "./next-match.js";
import { filterSubject, placeOf, recordOf, type MessagePlace } from "./stored-message.js";
import { endsPullOnly, StreamCursor } from "./stream-cursor.js";

/** Places open at once; more readers wait for one. */
const placesMax = 32;
/** Messages of one pull. */
const pullMessages = 512;
const pullBytesMin = 1024 * 1024;
const pullMs = 3000;
/** Nothing has come for this long although there is more, ms: the place is given up for another. */
const silenceMsMax = 2500;
/** Between two tries while nobody answers, ms. */
const retryPauseMs = 200;

interface Arrived {
  readonly message: Msg;
  readonly place: MessagePlace;
}

/** A cursor with what has come of it and was not taken yet. */
class Place {
  /** Everything up to this seq was taken. */
  after: number;
  isBroken = false;
  #cursor: StreamCursor | undefined;
  #arrived: Arrived[] = [];
  #taken = 0;
  #asked = 0;
  #consumerSeq = 0;
  #wake: (() => void) | undefined;

  constructor(after: number) {
    this.after = after;
  }

  async open(nats: NatsConnection, stream: string): Promise<void> {
    this.#cursor = await StreamCursor.open(nats, stream, this.after, {
      onMessage: (message) => this.#arrive(message),
      onStatus: (code) => {
        if (endsPullOnly(code)) this.#asked = 0;
        else this.isBroken = true;
        this.#wake?.();
      },
    });
  }

  close(): void {
    this.isBroken = true;
    this.#arrived = [];
    this.#cursor?.close();
  }

  /** The next message that is there, without taking it; undefined where nothing has come in time. */
  async peek(wanted: number, bytesMax: number): Promise<Arrived | undefined> {
    for (;;) {
      const arrived = this.#arrived[this.#taken];
      if (arrived !== undefined) return arrived;
      if (this.isBroken) return undefined;
      this.#arrived = [];
      this.#taken = 0;
      if (this.#asked === 0) {
        this.#asked = Math.min(wanted, pullMessages);
        this.#cursor?.pull({ batch: this.#asked, bytesMax, expiresMs: pullMs });
      }
      if (!(await this.#woken())) return undefined;
    }
  }

  take({ place }: Arrived): void {
    this.#taken += 1;
    this.after = place.seq;
  }

  #arrive(message: Msg): void {
    const place = placeOf(message);
    this.#consumerSeq += 1;
    if (place.consumerSeq === this.#consumerSeq) this.#arrived.push({ message, place });
    else this.isBroken = true;
    this.#asked = Math.max(0, this.#asked - 1);
    this.#wake?.();
  }

  /** True when something came, false when time is over. */
  #woken(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), silenceMsMax);
      this.#wake = () => {
        this.#wake = undefined;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** What the reader needs to know of the log. */
export interface StreamReaderOptions {
  readonly nats: NatsConnection;
  readonly stream: string;
  /** `nats.prefix`. */
  readonly prefix: string;
  /** Largest message that the server takes, bytes. */
  readonly messageBytesMax: number;
  readonly head: () => number;
  readonly oldest: () => number;
  /** Whether reading is over for good. */
  readonly isClosed: () => boolean;
  readonly onRead: () => void;
}

/** Reads a stream by position. */
export class StreamReader {
  readonly #options: StreamReaderOptions;
  readonly #pullBytesMax: number;
  /** Nobody reads from these; the one used last stands last. */
  readonly #idle: Place[] = [];
  #open = 0;
  readonly #waiters: (() => void)[] = [];

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#pullBytesMax = Math.max(pullBytesMin, 2 * options.messageBytesMax);
  }

  /** As `EventLog.read`; waits while the servers are out of reach, at most `options.waitMs`. */
  async read(after: number, options: ReadOptions, deadline: () => boolean): Promise<LogPage> {
    const { oldest, isClosed } = this.#options;
    const head = this.#options.head();
    const empty = new PageBuilder(after, options, { head, oldest: oldest() });
    if (empty.isDone) return empty.build();
    for (;;) {
      if (isClosed()) throw new LogError("LOG_CLOSED", "the log is closed");
      const page = await this.#tryRead(after, options, head);
      if (page !== undefined) return this.#skipAhead(page, options);
      if (deadline()) throw new LogError("LOG_UNREACHABLE", "JetStream can't be asked for events now");
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
  }

  /** A page in which nothing matched goes on to the next match, where the server can find it. */
  async #skipAhead(page: LogPage, { match, until = page.head }: ReadOptions): Promise<LogPage> {
    const end = Math.min(until, page.head);
    if (match?.only === undefined || page.records.length > 0 || page.scannedTo >= end) return page;
    const { nats, stream, prefix } = this.#options;
    const range = { after: page.scannedTo, until: end };
    const next = await nextMatch(nats, stream, filterSubject(prefix, match.only), range);
    return next === undefined ? page : { ...page, scannedTo: Math.max(page.scannedTo, next - 1) };
  }

  close(): void {
    for (const place of this.#idle.splice(0)) place.close();
    for (const wake of this.#waiters.splice(0)) wake();
  }

  async #tryRead(after: number, options: ReadOptions, head: number): Promise<LogPage | undefined> {
    const place = await this.#placeAt(Math.max(after, Math.min(this.#options.oldest() - 1, head)));
    if (place === undefined) return undefined;
    try {
      return await this.#fill(place, after, options, head);
    } finally {
      this.#giveBack(place);
    }
  }

  async #fill(place: Place, after: number, options: ReadOptions, head: number): Promise<LogPage | undefined> {
    const { oldest, onRead } = this.#options;
    const until = Math.min(options.until ?? head, head);
    // What does not match has to be looked at all the same.
    const wanted = options.match === undefined ? options.limit : pullMessages;
    let page: PageBuilder | undefined;
    for (;;) {
      const arrived = await place.peek(Math.max(1, Math.min(wanted, until - place.after)), this.#pullBytesMax);
      if (arrived === undefined) {
        place.isBroken = true;
        return page?.build();
      }
      onRead();
      const { seq } = arrived.place;
      // What is missing right at the beginning is gone; a hole further on is the next page's matter.
      page ??= new PageBuilder(after, options, { head, oldest: Math.max(oldest(), seq > after + 1 ? seq : 1) });
      if (page.isDone || seq !== page.nextSeq) return page.build();
      const record = recordOf(arrived.message.subject, arrived.message.headers, arrived.message.data, arrived.place);
      if (!page.wants(record.eventType, record.clusterId)) page.skip(seq);
      else if (page.admit(seq, record.fields.length)) page.push(record);
      else return page.build();
      place.take(arrived);
      if (page.isDone) return page.build();
    }
  }

  async #placeAt(after: number): Promise<Place | undefined> {
    const index = this.#idle.findLastIndex((place) => place.after === after && !place.isBroken);
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (found !== undefined) return found;
    while (this.#open >= placesMax && !this.#options.isClosed()) {
      const oldest = this.#idle.shift();
      if (oldest !== undefined) this.#discard(oldest);
      else await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    this.#open += 1;
    const place = new Place(after);
    try {
      await place.open(this.#options.nats, this.#options.stream);
      return place;
    } catch (error) {
      this.#discard(place);
      if (!isTransient(error)) throw error;
      return undefined;
    }
  }

  #giveBack(place: Place): void {
    if (place.isBroken || this.#options.isClosed()) this.#discard(place);
    else this.#idle.push(place);
    this.#waiters.shift()?.();
  }

  #discard(place: Place): void {
    this.#open -= 1;
    place.close();
    this.#waiters.shift()?.();
  }
}
