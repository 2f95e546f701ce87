// Keeps a connection: opens one, and after each end does what the close table says. Knows no subscription.
import { type CloseDuty, closeDuty } from "@sluice/protocol";
import { createBackoff } from "./backoff.js";
import { type Connection, type ConnectionEnd, superviseSocket } from "./connection.js";
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
  readonly onMessage: (message: ServerMessage, size: number) => void;
  /** The connection has gone; called before the state changes. */
  readonly onLost: () => void;
  readonly onState: () => void;
}

/** Wait before a token is asked for again on a living connection, ms. */
const refreshAgainMs = 10_000;

export interface Link {
  readonly state: LinkState;
  /** The open connection. */
  readonly connection: Connection | undefined;
  /** Opens the first connection; nothing when that was done. */
  start(): void;
  /** Ends it for good. */
  end(reason: EndReason, why: string, lost?: Loss): void;
  /** The network or the page is back: looks at an open connection, and cuts a wait short that the server didn't ask for. */
  doubt(): void;
}

export function createLink(options: LinkOptions): Link {
  const { url, tokens, WebSocket, environment, onMessage, onLost, onState } = options;
  const { now, after } = environment;
  const backoff = createBackoff(environment.random);
  let state: LinkState = { state: "idle" };
  let connection: Connection | undefined;
  let openedAt: number | undefined;
  /** Not before this, monotonic ms: the drain's `reconnect_after_ms`. */
  let comeBackAt: number | undefined;
  let token: string | undefined;
  let cancelWait: (() => void) | undefined;
  let cancelRefresh: (() => void) | undefined;

  const setState = (next: LinkState): void => {
    state = next;
    onState();
  };
  const openConnection = (): Connection | undefined => (state.state === "open" ? connection : undefined);

  const end = (reason: EndReason, why: string, lost?: Loss): void => {
    if (state.state === "ended") return;
    cancelWait?.();
    cancelRefresh?.();
    connection?.close();
    connection = undefined;
    onLost();
    setState({ state: "ended", reason, why, ...lost });
  };

  const wait = (why: string, lost: Loss, atLeastMs = 0): void => {
    const ms = comeBackAt === undefined ? Math.max(atLeastMs, backoff.next()) : Math.max(0, comeBackAt - now());
    cancelWait = after(ms, attempt);
    setState({
      state: "reconnecting",
      why,
      ...lost,
      attempt: backoff.attempts,
      at: new Date(environment.wall() + ms),
    });
  };

  const attempt = async (): Promise<void> => {
    setState({ state: "connecting" });
    comeBackAt = undefined;
    openedAt = undefined;
    const isWanted = (): boolean => state.state === "connecting";
    try {
      token = await tokens.renewed();
      if (!isWanted()) return;
      const socket = new WebSocket(url, offeredProtocols(token)) as WebSocketLike;
      connection = superviseSocket(socket, environment, { onMessage: receive, onEnd: ended });
    } catch (error) {
      if (isWanted()) wait(error instanceof Error ? error.message : "no token", { cause: error });
    }
  };

  const refreshLater = (): void => {
    cancelRefresh?.();
    cancelRefresh = after(refreshAgainMs, refresh);
  };
  /** Hands in a new token. Until there is one it asks again; the server's close 4401 is the end of that. */
  const refresh = async (): Promise<void> => {
    const present = openConnection();
    if (!tokens.renews || present === undefined) return;
    const next = await tokens.renewed().catch(() => undefined);
    if (openConnection() !== present) return;
    if (next === undefined || next === token) return refreshLater();
    token = next;
    present.send({ type: "refresh", id: "refresh", token });
  };

  const receive = (message: ServerMessage, size: number): void => {
    if (message.type === "connected") {
      openedAt = now();
      setState({ state: "open" });
    } else if (message.type === "disconnect") comeBackAt = now() + message.reconnect_after_ms;
    else if (message.type === "token_expiring") void refresh();
    else if (message.type === "error" && message.code === "AUTH_FAILED") refreshLater();
    onMessage(message, size);
  };

  const ended = ({ status, code, reason, cause, why: told }: ConnectionEnd): void => {
    connection = undefined;
    cancelRefresh?.();
    if (openedAt !== undefined) backoff.held(now() - openedAt);
    onLost();
    const why = told ?? `${reason || "connection lost"} (${code})`;
    const lost = { code, cause };
    const duty = status === undefined ? closeDuty(code, reason) : dutyOfStatus(status);
    if (duty === "new-token") {
      tokens.forget(token);
      if (!tokens.renews) return end("token", why, lost);
    }
    if (duty === "stop") end("refused", why, lost);
    else wait(why, lost, cause?.retryAfterMs);
  };

  return {
    get state() {
      return state;
    },
    get connection() {
      return openConnection();
    },
    start() {
      if (state.state === "idle") void attempt();
    },
    end,
    doubt() {
      openConnection()?.doubt();
      if (state.state !== "reconnecting" || comeBackAt !== undefined) return;
      cancelWait?.();
      void attempt();
    },
  };
}

function dutyOfStatus(status: number): CloseDuty {
  if (status === 401) return "new-token";
  return againStatuses.includes(status) ? "reconnect" : "stop";
}
