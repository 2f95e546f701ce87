// Keeps a connection: opens one, and after each end does what the close table says. Knows no subscription.
import { type CloseDuty, closeDuty, type ConnectedFrame } from "@sluice/protocol";
import { Backoff } from "./backoff.js";
import { Connection, type ConnectionEnd } from "./connection.js";
import type { Environment } from "./environment.js";
import type { ServerMessage } from "./event.js";
import { againStatuses } from "./http-api.js";
import type { EndReason, Loss, Status } from "./status.js";
import type { TokenSource } from "./token-source.js";
import { offeredProtocols, type WebSocketConstructor, type WebSocketLike } from "./web-socket.js";

/** Where the link stands. */
export type LinkState =
  | Extract<Status, { readonly state: "idle" | "connecting" | "reconnecting" | "ended" }>
  | { readonly state: "open" };

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

/** Wait before a token is asked for again on a living connection, ms. */
const refreshAgainMs = 10_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #backoff: Backoff;
  #state: LinkState = { state: "idle" };
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
    return this.#state.state === "open" ? this.#connection : undefined;
  }

  /** Opens the first connection; nothing when that was done. */
  start(): void {
    if (this.#state.state === "idle") void this.#attempt();
  }

  /** Ends it for good. */
  end(reason: EndReason, why: string, lost?: Loss): void {
    if (this.#state.state === "ended") return;
    this.#cancelWait?.();
    this.#cancelRefresh?.();
    this.#connection?.close();
    this.#connection = undefined;
    this.#options.onLost();
    this.#setState({ state: "ended", reason, why, ...lost });
  }

  /** The network or the page is back: looks at an open connection, and cuts a wait short that the server didn't ask for. */
  doubt(): void {
    this.connection?.doubt();
    if (this.#state.state !== "reconnecting" || this.#comeBackAt !== undefined) return;
    this.#cancelWait?.();
    void this.#attempt();
  }

  #setState(state: LinkState): void {
    this.#state = state;
    this.#options.onState();
  }

  async #attempt(): Promise<void> {
    const { tokens, WebSocket, url, environment } = this.#options;
    this.#setState({ state: "connecting" });
    this.#comeBackAt = undefined;
    this.#openedAt = undefined;
    const isWanted = (): boolean => this.#state.state === "connecting";
    try {
      this.#token = await tokens.renewed();
      if (!isWanted()) return;
      const socket = new WebSocket(url, offeredProtocols(this.#token)) as WebSocketLike;
      this.#connection = new Connection(socket, environment, {
        onMessage: (message, size) => this.#receive(message, size),
        onEnd: (end) => this.#ended(end),
      });
    } catch (error) {
      if (isWanted()) this.#wait(error instanceof Error ? error.message : "no token", { cause: error });
    }
  }

  #receive(message: ServerMessage, size: number): void {
    const { onConnected, onMessage, environment } = this.#options;
    if (message.type === "connected") {
      this.#openedAt = environment.now();
      this.#setState({ state: "open" });
      onConnected(message);
      return;
    }
    if (message.type === "disconnect") {
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
    if (this.#openedAt !== undefined) this.#backoff.held(environment.now() - this.#openedAt);
    onLost();
    const { status, code, reason, cause } = end;
    const why = end.why ?? `${reason || "connection lost"} (${code})`;
    const duty = status === undefined ? closeDuty(code, reason) : dutyOfStatus(status);
    if (duty === "new-token") {
      tokens.forget(this.#token);
      if (!tokens.renews) return this.end("token", why, { code, cause });
    }
    if (duty === "stop") return this.end("refused", why, { code, cause });
    this.#wait(why, { code, cause }, cause?.retryAfterMs);
  }

  #wait(why: string, lost: Loss, atLeastMs = 0): void {
    const { environment } = this.#options;
    const asked = this.#comeBackAt;
    const ms = asked === undefined ? Math.max(atLeastMs, this.#backoff.next()) : Math.max(0, asked - environment.now());
    this.#cancelWait = environment.after(ms, () => void this.#attempt());
    this.#setState({
      state: "reconnecting",
      why,
      ...lost,
      attempt: this.#backoff.attempts,
      at: new Date(environment.wall() + ms),
    });
  }
}

function dutyOfStatus(status: number): CloseDuty {
  if (status === 401) return "new-token";
  return againStatuses.includes(status) ? "reconnect" : "stop";
}
