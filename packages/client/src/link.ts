// Keeps a connection: opens one, and after each end does what the close table says. Knows no subscription.
import type { ConnectedFrame } from "@sluice/protocol";
import { Backoff } from "./backoff.js";
import { describeClose, dutyOf } from "./close-duty.js";
import { Connection, type ConnectionEnd } from "./connection.js";
import type { Environment } from "./environment.js";
import type { ServerMessage } from "./event.js";
import type { TokenSource } from "./token-source.js";
import { offeredProtocols, type WebSocketConstructor, type WebSocketLike } from "./web-socket.js";

/** Where the link stands. */
export type LinkState =
  | { readonly phase: "idle" | "connecting" | "open" }
  /** `atMs`: when the next attempt is made, wall clock. */
  | { readonly phase: "waiting"; readonly why: string; readonly attempt: number; readonly atMs: number }
  | { readonly phase: "ended"; readonly why: string; readonly code: number | undefined };

export interface LinkOptions {
  /** Without a token. */
  readonly url: string;
  readonly tokens: TokenSource;
  readonly WebSocket: WebSocketConstructor;
  readonly environment: Environment;
  readonly onConnected: (frame: ConnectedFrame) => void;
  readonly onMessage: (message: ServerMessage, size: number) => void;
  /** The connection has gone; called before the state changes. */
  readonly onLost: () => void;
  readonly onState: () => void;
}

/** A connection that held this long is a success, and the next wait a short one, ms. */
const stableMs = 5_000;
/** Wait before a token is asked for again on a living connection, ms. */
const refreshAgainMs = 10_000;

const comeBackStatuses: readonly number[] = [408, 425, 429];

export class Link {
  readonly #options: LinkOptions;
  readonly #backoff: Backoff;
  #state: LinkState = { phase: "idle" };
  #connection: Connection | undefined;
  #openedAt: number | undefined;
  /** Not before this, monotonic ms: the drain's `reconnect_after_ms`. */
  #comeBackAt: number | undefined;
  #token: string | undefined;
  #cancelWait: (() => void) | undefined;
  #cancelRefresh: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.environment.random);
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The open connection. */
  get connection(): Connection | undefined {
    return this.#state.phase === "open" ? this.#connection : undefined;
  }

  /** Opens the first connection; nothing when that was done. */
  start(): void {
    if (this.#state.phase === "idle") void this.#attempt();
  }

  /** Ends it for good. */
  end(why: string, code?: number): void {
    if (this.#state.phase === "ended") return;
    this.#cancelWait?.();
    this.#cancelRefresh?.();
    this.#connection?.close();
    this.#connection = undefined;
    this.#options.onLost();
    this.#setState({ phase: "ended", why, code });
  }

  /** The network or the page is back: looks at an open connection, and cuts a wait short that the server didn't ask for. */
  doubt(): void {
    this.connection?.doubt();
    if (this.#state.phase !== "waiting" || this.#comeBackAt !== undefined) return;
    this.#cancelWait?.();
    void this.#attempt();
  }

  #setState(state: LinkState): void {
    this.#state = state;
    this.#options.onState();
  }

  async #attempt(): Promise<void> {
    const { tokens, WebSocket, url, environment } = this.#options;
    this.#setState({ phase: "connecting" });
    this.#comeBackAt = undefined;
    this.#openedAt = undefined;
    const isWanted = (): boolean => this.#state.phase === "connecting";
    try {
      this.#token = await tokens.renewed();
      if (!isWanted()) return;
      const socket = new WebSocket(url, offeredProtocols(this.#token)) as WebSocketLike;
      this.#connection = new Connection(socket, environment, {
        onMessage: (message, size) => this.#receive(message, size),
        onEnd: (end) => this.#ended(end),
      });
    } catch (error) {
      if (isWanted()) this.#wait(`no connection could be tried: ${wordsOf(error)}`);
    }
  }

  #receive(message: ServerMessage, size: number): void {
    const { onConnected, onMessage, environment } = this.#options;
    if (message.type === "connected") {
      this.#openedAt = environment.now();
      this.#state = { phase: "open" };
      onConnected(message);
      this.#options.onState();
      return;
    }
    if (message.type === "disconnect" && message.reconnect_after_ms >= 0) {
      this.#comeBackAt = environment.now() + message.reconnect_after_ms;
    } else if (message.type === "token_expiring") void this.#refresh();
    else if (message.type === "error" && message.code === "AUTH_FAILED") this.#refreshLater();
    onMessage(message, size);
  }

  #refreshLater(): void {
    this.#cancelRefresh?.();
    this.#cancelRefresh = this.#options.environment.after(refreshAgainMs, () => void this.#refresh());
  }

  /** Hands in a new token. Until there is one it asks again; the server's close 4401 is the end of that. */
  async #refresh(): Promise<void> {
    const { tokens } = this.#options;
    const { connection } = this;
    if (!tokens.renews || connection === undefined) return;
    const token = await tokens.renewed().catch(() => undefined);
    if (this.connection !== connection) return;
    if (token === undefined || token === this.#token) {
      this.#refreshLater();
      return;
    }
    this.#token = token;
    connection.send({ type: "refresh", id: "refresh", token });
  }

  #ended(end: ConnectionEnd): void {
    const { environment, tokens, onLost } = this.#options;
    this.#connection = undefined;
    this.#cancelRefresh?.();
    if (this.#openedAt !== undefined && environment.now() - this.#openedAt >= stableMs) this.#backoff.reset();
    onLost();
    const { status, code, reason } = end;
    const why = end.why ?? describeClose(code, reason);
    const duty = status === undefined ? dutyOf(code, reason) : dutyOfStatus(status);
    if (duty === "new-token") {
      tokens.forget(this.#token);
      if (!tokens.renews) return this.end(why, code);
    }
    if (duty === "stop") return this.end(why, code);
    this.#wait(why);
  }

  #wait(why: string): void {
    const { environment } = this.#options;
    const asked = this.#comeBackAt;
    const ms = asked === undefined ? this.#backoff.next() : Math.max(0, asked - environment.now());
    this.#cancelWait = environment.after(ms, () => void this.#attempt());
    this.#setState({ phase: "waiting", why, attempt: this.#backoff.attempts, atMs: environment.wall() + ms });
  }
}

function dutyOfStatus(status: number): "new-token" | "reconnect" | "stop" {
  if (status === 401) return "new-token";
  return status >= 500 || comeBackStatuses.includes(status) ? "reconnect" : "stop";
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : "the token function failed";
}
