// The client: subscriptions, publishing and status over one connection. It puts the parts together and decides little.
import { isName, isPattern, type Policy } from "@sluice/protocol";
import { serviceAddress, socketAddress } from "./address.js";
import { CursorKeeper } from "./cursor-keeper.js";
import type { CursorStore } from "./cursor-store.js";
import type { Environment } from "./environment.js";
import type { AnyEvents, Gap, SluiceEvent } from "./event.js";
import { Feed } from "./feed.js";
import { fetchHistory } from "./history.js";
import { type Fetch, HttpApi } from "./http-api.js";
import type { InboxLimits } from "./inbox.js";
import { Link } from "./link.js";
import { watchPage } from "./page-events.js";
import { type NewEvent, type Published, Publisher } from "./publisher.js";
import { Session } from "./session.js";
import { SluiceError } from "./sluice-error.js";
import { type Counters, isSameStatus, type Status } from "./status.js";
import {
  createSubscription,
  type OnItem,
  type SubscribeOptions,
  type SubscribeOptionsWithGaps,
  type Subscription,
} from "./subscription.js";
import { type TokenOption, TokenSource } from "./token-source.js";
import type { WebSocketConstructor } from "./web-socket.js";

export interface ConnectOptions {
  /** Address of the service or gateway: `https://events.example`, with or without `/ws`; relative to the page in browsers. */
  readonly url: string | URL;
  /** Sent in the subprotocol and in `Authorization`, never in a URL. Without it the service must need none. */
  readonly token?: TokenOption;
  /** Default the global one; Node before 22 has none: `import { WebSocket } from "ws"`. */
  readonly WebSocket?: WebSocketConstructor;
  /** Default the global one. */
  readonly fetch?: Fetch;
  /** What the server does when this connection falls behind (protocol.md §5); default `replay`: nothing is skipped. */
  readonly policy?: Policy;
  /** A smaller buffer at the server than its own `buffer.max_messages`. */
  readonly maxMessages?: number;
  /** Remembers how far each subscription was handled; default nothing does. */
  readonly cursorStore?: CursorStore;
  /** Most live events that wait in memory for one subscription, default 1000; the rest waits in the log. */
  readonly bufferEvents?: number;
  /** Most characters of them, default 4 Mi. */
  readonly bufferCharacters?: number;
}

const bufferEventsDefault = 1_000;
const bufferCharactersDefault = 4 * 1_048_576;
/** Fill at which reading stops, and at which it goes on. */
const holdAt = 0.5;
const goOnAt = 0.25;
/** Most often that a growing or shrinking lag is told, ms. */
const lagEveryMs = 250;
const patternsMax = 100;
const clustersMax = 1_000;

/** Tells of a changed `status` with an event of that name, as well as with `onStatus`. */
export class Sluice extends EventTarget implements Disposable {
  readonly #environment: Environment;
  readonly #limits: InboxLimits;
  readonly #cursors: CursorKeeper;
  readonly #api: HttpApi;
  readonly #publisher: Publisher;
  readonly #session: Session;
  readonly #link: Link;
  readonly #stopWatching: () => void;
  #status: Status = { state: "idle" };
  #toldAt = 0;
  #isHeld = false;
  #connections = 0;
  #pages = 0;
  #gaps = 0;

  /** Use `connect()`. */
  constructor(options: ConnectOptions, environment: Environment) {
    super();
    this.#environment = environment;
    const { token, policy = "replay", maxMessages, cursorStore } = options;
    const address = serviceAddress(options.url);
    const globals = globalThis as { WebSocket?: WebSocketConstructor; fetch?: Fetch };
    const WebSocket = options.WebSocket ?? globals.WebSocket;
    if (WebSocket === undefined) throw new TypeError('there is no WebSocket here; pass the one of "ws" as WebSocket');
    this.#limits = {
      itemsMax: options.bufferEvents ?? bufferEventsDefault,
      sizeMax: options.bufferCharacters ?? bufferCharactersDefault,
    };
    const tokens = new TokenSource(token);
    const fetch: Fetch = options.fetch ?? ((url, init) => (globals.fetch as Fetch)(url, init));
    this.#cursors = new CursorKeeper(cursorStore, environment);
    this.#api = new HttpApi({ address, tokens, fetch, environment });
    this.#publisher = new Publisher(this.#api, environment);
    const onChange = (): void => this.#changed();
    this.#session = new Session({ send: (command) => this.#link.connection?.send(command), environment, onChange });
    this.#link = new Link({
      url: socketAddress(address, { policy, max_messages: maxMessages }),
      tokens,
      WebSocket,
      environment,
      onConnected: (frame) => {
        this.#connections += 1;
        this.#session.begin(frame);
        if (this.#isHeld) this.#link.connection?.pause();
      },
      onMessage: (message, size) => this.#session.receive(message, size),
      onLost: () => this.#session.end(),
      onState: onChange,
    });
    this.#stopWatching = watchPage({ onDoubt: () => this.#link.doubt(), onHide: () => this.#cursors.flush() });
  }

  /** Where the client stands now. */
  get status(): Status {
    return this.#status;
  }

  /** What happened so far. */
  get counters(): Counters {
    const { events, received, repeats, overflows } = this.#session.tally;
    const { connection } = this.#link;
    return {
      events,
      received,
      repeats,
      overflows,
      pages: this.#pages,
      gaps: this.#gaps,
      reconnects: Math.max(0, this.#connections - 1),
      buffered: this.#buffered,
      published: this.#publisher.published,
      cursorFailures: this.#cursors.failures,
      roundTripMs: connection?.roundTripMs,
      skewMs: connection?.skewMs,
    };
  }

  /** Calls `listener` now and whenever the status changes, until the returned function is called. */
  onStatus(listener: (status: Status) => void): () => void {
    const tell = (): void => listener(this.#status);
    this.addEventListener("status", tell);
    tell();
    return () => this.removeEventListener("status", tell);
  }

  /**
   * Subscribes; all subscriptions share one connection, which the first one opens. With `onItem` it is called with one
   * item after the other, else iterate over what is returned. A subscription that the server refuses throws there.
   * @throws {TypeError} for what is no event name, pattern or cluster name; {SluiceError} `CLOSED`
   */
  subscribe<Events extends object = AnyEvents>(
    options: SubscribeOptionsWithGaps,
    onItem?: OnItem<SluiceEvent<Events>>,
  ): Subscription<SluiceEvent<Events>>;
  subscribe<Events extends object = AnyEvents>(
    options?: SubscribeOptions,
    onItem?: OnItem<SluiceEvent<Events> | Gap>,
  ): Subscription<SluiceEvent<Events> | Gap>;
  subscribe(options: SubscribeOptions = {}, onItem?: OnItem<never>): Subscription<SluiceEvent | Gap> {
    const events = unique(options.events ?? ["*"]);
    const clusters = unique(options.clusters ?? []);
    if (events.length === 0 || events.length > patternsMax || !events.every(isPattern)) {
      throw new TypeError(`events must be 1 to ${patternsMax} event names, or patterns with a trailing *`);
    }
    if (clusters.length > clustersMax || !clusters.every(isName)) {
      throw new TypeError(`clusters must be at most ${clustersMax} cluster names`);
    }
    if (this.#link.state.phase === "ended") throw new SluiceError("CLOSED", this.#link.state.why);
    const name = options.name ?? `${events.join()}@${clusters.join()}`;
    const feed: Feed = new Feed({
      interest: { events, clusters },
      limits: this.#limits,
      fetchHistory: (request) => {
        this.#pages += 1;
        return fetchHistory(this.#api, request);
      },
      onChange: () => this.#changed(),
      onCursor: (cursor) => this.#cursors.moved(name, cursor),
      onGap: () => (this.#gaps += 1),
      onClose: () => {
        this.#session.remove(feed);
        this.#changed();
      },
    });
    void this.#open(feed, name, options.since);
    return createSubscription(feed, options, onItem as OnItem<SluiceEvent | Gap> | undefined);
  }

  async #open(feed: Feed, name: string, since: SubscribeOptions["since"]): Promise<void> {
    const start = typeof since === "number" ? { seq: since } : (since ?? (await this.#cursors.load(name)));
    if (feed.isClosed) return;
    feed.startFrom(start);
    this.#link.start();
    this.#session.add(feed);
  }

  /**
   * Publishes over HTTP; resolves when all of the events are durable. Each is tried with the same `event_id` until the
   * service has answered, for 100 s. @throws {SluiceError} see `Publisher.publish`
   */
  async publish(events: NewEvent | readonly NewEvent[]): Promise<Published> {
    return this.#publisher.publish(Array.isArray(events) ? (events as readonly NewEvent[]) : [events as NewEvent]);
  }

  /** Ends subscriptions and connection. Publishes that wait are rejected with `CLOSED`: await them before. */
  close(): void {
    this.#stopWatching();
    this.#publisher.close();
    this.#link.end("closed");
    for (const feed of [...this.#session.feeds]) feed.close();
    this.#cursors.flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #buffered(): number {
    let buffered = 0;
    for (const feed of this.#session.feeds) buffered += feed.size;
    return buffered;
  }

  #changed(): void {
    this.#holdOrGoOn();
    const status = this.#lookAt();
    if (status.state === "lagging" && this.#status.state === "lagging") {
      if (this.#environment.now() - this.#toldAt < lagEveryMs) return;
    } else if (isSameStatus(status, this.#status)) return;
    this.#toldAt = this.#environment.now();
    this.#status = status;
    if (status.state === "ended" && status.code !== undefined) {
      for (const feed of [...this.#session.feeds]) feed.close(new SluiceError("CLOSED", status.why));
    }
    this.dispatchEvent(new Event("status"));
  }

  #holdOrGoOn(): void {
    let fill = 0;
    for (const feed of this.#session.feeds) fill = Math.max(fill, feed.fill);
    if (this.#isHeld ? fill > goOnAt : fill < holdAt) return;
    this.#isHeld = !this.#isHeld;
    const { connection } = this.#link;
    if (this.#isHeld) connection?.pause();
    else connection?.resume();
  }

  #lookAt(): Status {
    const { state } = this.#link;
    if (state.phase === "waiting") {
      return { state: "reconnecting", why: state.why, attempt: state.attempt, at: new Date(state.atMs) };
    }
    if (state.phase === "ended") return { state: "ended", why: state.why, code: state.code };
    if (state.phase !== "open") return { state: state.phase };
    const { lag, isCatchingUp } = this.#session;
    if (lag !== undefined || this.#isHeld) {
      return { state: "lagging", pending: this.#buffered + (lag?.pending ?? 0), lagMs: lag?.lagMs };
    }
    return { state: isCatchingUp ? "catching-up" : "live" };
  }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
