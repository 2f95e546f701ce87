// A subscription that outlives its connections: reconnects as the close table says, and goes on where it was.
import { setTimeout as sleep } from "node:timers/promises";
import type { ErrorFrame, Policy } from "@sluice/protocol";
import { webSocketUrl } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { ReconnectBackoff } from "./reconnect-backoff.js";
import type { EventMessage, ServerMessage } from "./server-message.js";
import { type ConnectionEnd, StreamConnection } from "./stream-connection.js";
import type { StreamEnd, StreamNotice } from "./stream-notice.js";
import { type ResumePoint, StreamPosition } from "./stream-position.js";

/** What to follow, and who is told. */
export interface StreamClientOptions {
  /** The service's base address. */
  readonly address: URL;
  readonly token: TokenSource;
  readonly events: readonly string[];
  readonly clusters: readonly string[];
  readonly policy?: Policy | undefined;
  readonly maxMessages?: number | undefined;
  /** Where to begin; live when absent. */
  readonly start?: ResumePoint | undefined;
  /** How long to go on trying to reach the service before giving up, ms; for ever when absent. */
  readonly retryForMs?: number | undefined;
  /** Each event with the text it came as, in order. */
  readonly onEvent: (event: EventMessage, text: string) => void;
  readonly onNotice: (notice: StreamNotice) => void;
  readonly backoff?: ReconnectBackoff;
  /** Monotonic ms; default: the machine's. */
  readonly now?: () => number;
}

/** The `id` of our one command. */
const commandId = "tail";
/** A connection that held this long is a success, and the next wait a short one, ms. */
const stableMs = 5_000;

export class StreamClient {
  readonly #options: StreamClientOptions;
  readonly #now: () => number;
  readonly #backoff: ReconnectBackoff;
  readonly #position: StreamPosition;
  readonly #stopping = new AbortController();
  #connection: StreamConnection | undefined;
  #isPaused = false;
  #userId = "";
  #usedToken: string | undefined;
  #patterns: ReadonlySet<string>;
  /** Set where a frame, and not the close, ends the stream. */
  #end: StreamEnd | undefined;
  #subscribedAt: number | undefined;
  #lostAt: number | undefined;

  constructor(options: StreamClientOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#backoff = options.backoff ?? new ReconnectBackoff();
    this.#position = new StreamPosition(options.start);
    this.#patterns = new Set(options.events);
  }

  /** Follows until `stop()`, or until there is no point in going on. @throws {CliError} where the token can't be read. */
  async run(): Promise<StreamEnd> {
    while (!this.#stopping.signal.aborted) {
      this.#usedToken = await this.#options.token.read();
      const ended = await this.#connect();
      if (this.#end !== undefined) return this.#end;
      if (this.#stopping.signal.aborted) break;
      const end = await this.#decide(ended);
      if (end !== undefined) return end;
    }
    return { kind: "stopped" };
  }

  /** Stops reading until `resume()`. */
  pause(): void {
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection?.resume();
  }

  /** Ends the stream; no event is handed on after it. */
  stop(): void {
    this.#stopping.abort();
    this.#connection?.close();
  }

  async #connect(): Promise<ConnectionEnd> {
    const { address, policy, maxMessages } = this.#options;
    const query = {
      ...(policy === undefined ? {} : { policy }),
      ...(maxMessages === undefined ? {} : { max_messages: String(maxMessages) }),
    };
    this.#subscribedAt = undefined;
    const connection = new StreamConnection({
      url: webSocketUrl(address, query),
      token: this.#usedToken,
      now: this.#now,
      onMessage: (message, text) => this.#receive(message, text),
    });
    this.#connection = connection;
    if (this.#isPaused) connection.pause();
    const ended = await connection.ended;
    this.#connection = undefined;
    return ended;
  }

  /** Waits for the next attempt, or says why there is none. */
  async #decide(ended: ConnectionEnd): Promise<StreamEnd | undefined> {
    const now = this.#now();
    if (this.#subscribedAt !== undefined) {
      this.#lostAt = now;
      if (now - this.#subscribedAt >= stableMs) this.#backoff.reset();
    }
    if (ended.duty === "stop") return { kind: "refused", why: ended.why };
    if (ended.duty === "new-token" && !(await this.#hasNewToken())) return { kind: "no-permission", why: ended.why };

    const backoffMs = this.#backoff.next();
    const isDrain = ended.duty === "reconnect-after" && ended.retryAfterMs !== undefined;
    const retryInMs = isDrain ? (ended.retryAfterMs ?? 0) : Math.max(backoffMs, ended.retryAfterMs ?? 0);
    this.#lostAt ??= now;
    const { retryForMs } = this.#options;
    if (retryForMs !== undefined && now - this.#lostAt + retryInMs > retryForMs)
      return { kind: "gave-up", why: ended.why };
    this.#options.onNotice({ kind: "lost", why: ended.why, retryInMs });
    await sleep(retryInMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    return undefined;
  }

  async #hasNewToken(): Promise<boolean> {
    return this.#options.token.renews && (await this.#options.token.read()) !== this.#usedToken;
  }

  #receive(message: ServerMessage, text: string): void {
    if (this.#stopping.signal.aborted) return;
    const resumedAfter = this.#position.seq;
    const isOtherLog = this.#position.note(message);
    switch (message.type) {
      case "event":
        this.#options.onEvent(message, text);
        return;
      case "connected":
        this.#userId = message.user_id;
        if (isOtherLog) this.#options.onNotice({ kind: "other-log" });
        this.#subscribe();
        return;
      case "subscribed":
        this.#subscribedAt = this.#now();
        this.#lostAt = undefined;
        this.#options.onNotice({ kind: "subscribed", userId: this.#userId, resumedAfter, seq: message.seq });
        return;
      case "live":
        this.#options.onNotice({ kind: "live", seq: message.seq });
        return;
      case "gap":
        this.#options.onNotice({ kind: "gap", gap: message });
        return;
      case "lag":
        this.#options.onNotice({ kind: "lag", lag: message });
        return;
      case "disconnect":
        this.#options.onNotice({ kind: "draining", frame: message });
        return;
      case "token_expiring":
        this.#options.onNotice({ kind: "token-expiring", expiresAt: message.expires_at });
        void this.#refresh();
        return;
      case "refreshed":
        this.#options.onNotice({ kind: "token-refreshed", expiresAt: message.expires_at });
        return;
      case "unsubscribed":
        this.#lose(message.events);
        return;
      case "error":
        this.#refuse(message);
        return;
      case "ping":
      case "pong":
        return;
    }
  }

  #subscribe(): void {
    const events = [...this.#patterns];
    const { clusters } = this.#options;
    this.#connection?.send({ type: "subscribe", id: commandId, events, clusters, ...this.#position.resumePoint });
  }

  /** Hands in the renewed token where the source has one by now. */
  async #refresh(): Promise<void> {
    const { token } = this.#options;
    if (!token.renews) return;
    try {
      const renewed = await token.read();
      if (renewed === undefined || renewed === this.#usedToken) return;
      this.#usedToken = renewed;
      this.#connection?.send({ type: "refresh", id: "refresh", token: renewed });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.onNotice({ kind: "server-error", code: "TOKEN_FILE", message });
    }
  }

  /** The rights have shrunk under us. */
  #lose(events: readonly string[]): void {
    this.#patterns = new Set([...this.#patterns].filter((pattern) => !events.includes(pattern)));
    this.#options.onNotice({ kind: "unsubscribed", events });
    if (this.#patterns.size > 0) return;
    this.#finish({ kind: "no-permission", why: "the token no longer allows any of these events" });
  }

  #refuse({ id, code, message }: ErrorFrame): void {
    if (id !== commandId) {
      this.#options.onNotice({ kind: "server-error", code, message });
    } else if (code === "FORBIDDEN") {
      this.#finish({ kind: "no-permission", why: message });
    } else {
      this.#finish({ kind: "refused", why: `${message} (${code})` });
    }
  }

  #finish(end: StreamEnd): void {
    this.#end = end;
    this.stop();
  }
}
