// The client: subscriptions, publishing and status over one connection. It puts the parts together and decides little.
import type { Policy, ServerFrame } from "@sluice/protocol";
import { pathAddress, serviceAddress } from "./address.js";
import { type CursorKeeper, createCursorKeeper } from "./cursor-keeper.js";
import type { CursorStore } from "./cursor-store.js";
import type { Environment } from "./environment.js";
import type { AnyEvents, Gap, SluiceEvent } from "./event.js";
import { createFeed, type Feed } from "./feed.js";
import { fetchHistory } from "./history.js";
import { createHttpApi, type Fetch, type HttpApi } from "./http-api.js";
import type { InboxLimits } from "./inbox.js";
import { createLink, type Link } from "./link.js";
import { watchPage } from "./page-events.js";
import { createPublisher, type NewEvent, type Publish, type Published } from "./publisher.js";
import { createSession, type Session } from "./session.js";
import { closedError, SluiceError } from "./sluice-error.js";
import type { Counters, Status, Tally } from "./status.js";
import {
  createSubscription,
  type OnItem,
  type SubscribeOptions,
  type SubscribeOptionsWithGaps,
  type Subscription,
} from "./subscription.js";
import { createTokenSource, type TokenOption } from "./token-source.js";
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
  /**
   * What the server does when this connection falls behind (protocol.md §5); default `replay`: nothing is skipped. Null
   * leaves it to the server's `buffer.policy`.
   */
  readonly policy?: Policy | null;
  /** A smaller buffer at the server than its own `buffer.max_messages`. */
  readonly maxMessages?: number;
  /** Remembers how far each subscription was handled; default nothing does. */
  readonly cursorStore?: CursorStore;
  /** Most live events that wait in memory for one subscription, default 1000; the rest waits in the log. */
  readonly bufferEvents?: number;
  /** Most characters of them, default 4 Mi. */
  readonly bufferCharacters?: number;
  /** How long an event is tried to be published for, ms; default 100 s, well within the service's dedup window. */
  readonly publishForMs?: number;
  /** Told of a request that failed and is made again after `ms`. */
  readonly onRetry?: (error: SluiceError, ms: number) => void;
  /** Told of every frame that is no event, as it comes and before it is acted on: for logs and tools. */
  readonly onFrame?: (frame: ServerFrame) => void;
}

const bufferEventsDefault = 1_000;
const bufferCharactersDefault = 4 * 1_048_576;
/** Fill at which reading stops, and at which it goes on. */
const holdAt = 0.5;
const goOnAt = 0.25;

/** Tells of a changed `status` with an event of that name, as well as with `onStatus`. */
export class Sluice extends EventTarget implements Disposable {
  readonly #limits: InboxLimits;
  readonly #cursors: CursorKeeper;
  readonly #api: HttpApi;
  readonly #publish: Publish;
  readonly #session: Session;
  readonly #link: Link;
  readonly #closing = new AbortController();
  readonly #tally: Tally = {
    events: 0,
    received: 0,
    repeats: 0,
    overflows: 0,
    pages: 0,
    gaps: 0,
    connections: 0,
    published: 0,
    cursorFailures: 0,
  };
  /** What listeners were told of last. */
  #told: readonly unknown[];
  #isHeld = false;
  /** Subscriptions whose beginning is being looked up. */
  #opening = 0;

  /** Use `connect()`. */
  constructor(options: ConnectOptions, environment: Environment) {
    super();
    const globals = globalThis as { WebSocket?: WebSocketConstructor; fetch?: Fetch };
    const {
      url,
      token,
      policy = "replay",
      maxMessages,
      cursorStore,
      onRetry,
      onFrame,
      publishForMs,
      bufferEvents = bufferEventsDefault,
      bufferCharacters = bufferCharactersDefault,
      WebSocket = globals.WebSocket,
      fetch = (to, init) => (globals.fetch as Fetch)(to, init),
    } = options;
    const address = serviceAddress(url);
    if (WebSocket === undefined) throw new TypeError('no WebSocket here; pass that of "ws"');
    const tally = this.#tally;
    const tokens = createTokenSource(token, environment);
    const onChange = (): void => this.#changed();
    this.#limits = { itemsMax: bufferEvents, sizeMax: bufferCharacters };
    this.#cursors = createCursorKeeper(cursorStore, environment, tally);
    this.#api = createHttpApi({ address, tokens, fetch, environment, onRetry });
    this.#publish = createPublisher(this.#api, environment, tally, this.#closing.signal, publishForMs);
    this.#session = createSession({
      send: (command) => this.#link.connection?.send(command),
      environment,
      tally,
      onChange,
    });
    this.#link = createLink({
      url: pathAddress(address, "ws", { policy: policy ?? undefined, max_messages: maxMessages }).replace("http", "ws"),
      tokens,
      WebSocket,
      environment,
      onMessage: (message, size) => {
        if (message.type !== "event") onFrame?.(message);
        this.#session.receive(message, size);
        if (this.#isHeld) this.#link.connection?.pause();
      },
      onLost: () => this.#session.end(),
      onState: onChange,
    });
    this.#told = ["idle", this.#link.state, undefined];
    watchPage({ onDoubt: () => this.#link.doubt(), onHide: () => this.#cursors.flush() }, this.#closing.signal);
  }

  /** Where the client stands now. */
  get status(): Status {
    const { state } = this.#link;
    if (state.state !== "open") return state;
    const { lag, isCatchingUp } = this.#session;
    if (this.#isHeld || lag !== undefined) {
      return { state: "lagging", pending: this.#sum("pending") + (lag?.pending ?? 0), lagMs: lag?.lag_ms };
    }
    return { state: this.#opening > 0 || isCatchingUp ? "catching-up" : "live" };
  }

  /** What happened so far. */
  get counters(): Counters {
    const { connection } = this.#link;
    return {
      ...this.#tally,
      buffered: this.#sum("size"),
      roundTripMs: connection?.roundTripMs,
      skewMs: connection?.skewMs,
    };
  }

  /** Calls `listener` now, and when the state changes or the server tells of lag, until the returned function is called. */
  onStatus(listener: (status: Status) => void): () => void {
    const tell = (): void => listener(this.status);
    this.addEventListener("status", tell);
    tell();
    return () => this.removeEventListener("status", tell);
  }

  /**
   * Subscribes; all subscriptions share one connection, which the first one opens. With `onItem` it is called with one
   * item after the other, else iterate over what is returned. A subscription that the server refuses throws there.
   * @throws {SluiceError} `CLOSED`
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
    const events = [...new Set([options.events ?? "*"].flat())];
    const clusters = [...new Set([options.clusters ?? []].flat())];
    const { onGap, signal } = options;
    const { state } = this.#link;
    if (state.state === "ended") throw new SluiceError("CLOSED", state.why);
    const name = options.name ?? `${events.join()}@${clusters.join()}`;
    const feed: Feed = createFeed({
      interest: { events, clusters },
      limits: this.#limits,
      fetchHistory: (request) => {
        this.#tally.pages += 1;
        return fetchHistory(this.#api, request, this.#limits.itemsMax);
      },
      onChange: () => this.#changed(),
      onCursor: (cursor) => this.#cursors.moved(name, cursor),
      onGap: (gap) => {
        this.#tally.gaps += 1;
        onGap?.(gap);
        return onGap !== undefined;
      },
      onClose: () => {
        this.#session.remove(feed);
        this.#changed();
      },
    });
    void this.#open(feed, name, options.since);
    return createSubscription(feed, signal, onItem as OnItem<SluiceEvent | Gap> | undefined);
  }

  async #open(feed: Feed, name: string, since: SubscribeOptions["since"]): Promise<void> {
    this.#opening += 1;
    this.#changed();
    const start = typeof since === "number" ? { seq: since } : (since ?? (await this.#cursors.load(name)));
    this.#opening -= 1;
    if (feed.ended.aborted) return;
    feed.startFrom(start);
    this.#link.start();
    this.#session.add(feed);
    this.#changed();
  }

  /**
   * Publishes over HTTP; resolves when all of the events are durable. Each is tried with the same `event_id` until the
   * service has answered, for `publishForMs`. @throws {SluiceError} see `Publish`
   */
  async publish(events: NewEvent | readonly NewEvent[]): Promise<Published> {
    return this.#publish(Array.isArray(events) ? (events as NewEvent[]) : [events as NewEvent]);
  }

  /** Ends subscriptions and connection. Publishes that wait are rejected with `CLOSED`: await them before. */
  close(): void {
    this.#closing.abort();
    this.#link.end("closed", closedError().message);
    for (const feed of [...this.#session.feeds]) feed.close();
    this.#cursors.flush();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sum(count: "size" | "pending"): number {
    let sum = 0;
    for (const feed of this.#session.feeds) sum += feed.inbox[count];
    return sum;
  }

  #changed(): void {
    this.#holdOrGoOn();
    const { state } = this.#link;
    const stand = [this.status.state, state, this.#session.lag];
    if (stand.every((part, index) => part === this.#told[index])) return;
    this.#told = stand;
    if (state.state === "ended" && state.reason !== "closed") {
      for (const feed of [...this.#session.feeds])
        feed.close(new SluiceError("CLOSED", `${state.reason}: ${state.why}`, undefined, state.cause));
    }
    this.dispatchEvent(new Event("status"));
  }

  #holdOrGoOn(): void {
    let fill = 0;
    for (const feed of this.#session.feeds) fill = Math.max(fill, feed.inbox.fill);
    if (this.#isHeld ? fill > goOnAt : fill < holdAt) return;
    this.#isHeld = !this.#isHeld;
    const { connection } = this.#link;
    if (this.#isHeld) connection?.pause();
    else connection?.resume();
  }
}
