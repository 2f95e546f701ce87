// One WebSocket from handshake to close: frames in, commands out, silence noticed. Knows no reconnecting.
import type { IncomingMessage } from "node:http";
import { type CloseDuty, type Command, subprotocol } from "@sluice/protocol";
import { WebSocket } from "ws";
import { describeClose, dutyOf } from "./close-duty.js";
import { readHandshakeRefusal, refusalBytesMax } from "./handshake-refusal.js";
import { describeNetworkError } from "./network-error.js";
import { readServerMessage, type ServerMessage } from "./server-message.js";
import { SilenceWatch } from "./silence-watch.js";

/** How a connection ended. */
export interface ConnectionEnd {
  readonly duty: CloseDuty;
  /** In words, without a token. */
  readonly why: string;
  /** Come back no earlier than this; from the drain's `disconnect` or `Retry-After`. */
  readonly retryAfterMs: number | undefined;
}

/** What to connect to, and who is told. */
export interface StreamConnectionOptions {
  /** `ws://…/ws?policy=…`, without a token. */
  readonly url: URL;
  readonly token: string | undefined;
  /** Every frame, with the text it came as. */
  readonly onMessage: (message: ServerMessage, text: string) => void;
  /** Monotonic ms; default: the machine's. */
  readonly now?: () => number;
}

/** A command without the members that were left out. */
export type OutgoingCommand = {
  [Key in Command["type"]]: Partial<Extract<Command, { type: Key }>> & { type: Key };
}[Command["type"]];

/** Longest handshake, ms. */
const handshakeMaxMs = 10_000;
/** Largest frame that is taken, bytes: the largest event that a log takes, with room around it. */
const messageBytesMax = 32 * 1_048_576;
/** Longest wait for the server's half of the closing handshake, ms. */
const closeMaxMs = 500;

export class StreamConnection {
  /** Resolves once, however the connection ends; never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  readonly #socket: WebSocket;
  readonly #now: () => number;
  readonly #silence: SilenceWatch;
  readonly #onMessage: StreamConnectionOptions["onMessage"];
  /** Whether reading was paused since the last tick of the pong timer. */
  #wasPaused = false;
  #retryAfterMs: number | undefined;
  #failure: string | undefined;
  #isPaused = false;
  #silenceTimer: NodeJS.Timeout | undefined;
  #pongTimer: NodeJS.Timeout | undefined;

  constructor({ url, token, onMessage, now = () => performance.now() }: StreamConnectionOptions) {
    this.#now = now;
    this.#onMessage = onMessage;
    this.#silence = new SilenceWatch(now());
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const socket = new WebSocket(url, [subprotocol], {
      headers,
      handshakeTimeout: handshakeMaxMs,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve(this.#closed(code, reason.toString())));
      socket.on("unexpected-response", (_request, response) => void this.#refused(response).then(resolve));
    });
    socket.on("error", (error) => (this.#failure ??= describeNetworkError(error)));
    socket.on("open", () => this.#opened());
    socket.on("message", (data, isBinary) => {
      if (!isBinary) this.#received((data as Buffer).toString());
    });
  }

  send(command: OutgoingCommand): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(command));
  }

  /**
   * Stops reading; TCP holds the server back. The server still hears a `pong` every interval, also while pauses come and
   * go and its pings wait behind what was not read: it is our reader that is slow, we are not gone.
   */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#wasPaused = true;
    this.#silence.suspend();
    this.#socket.pause();
  }

  /** Reads on. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#silence.resume(this.#now());
    this.#socket.resume();
  }

  /** Ends the connection; frames that still come are not handed on. */
  close(): void {
    this.#socket.removeAllListeners("message");
    if (this.#socket.readyState !== WebSocket.OPEN) return this.#socket.terminate();
    this.resume();
    this.#socket.close(1000);
    setTimeout(() => this.#socket.terminate(), closeMaxMs).unref();
  }

  #opened(): void {
    this.#silence.heard(this.#now());
    this.#watchSilence();
    if (this.#isPaused) this.#socket.pause();
  }

  #received(text: string): void {
    this.#silence.heard(this.#now());
    const message = readServerMessage(text);
    if (message === undefined) return;
    if (message.type === "connected") {
      clearInterval(this.#pongTimer);
      this.#pongTimer = setInterval(() => this.#speakUp(), message.heartbeat.interval_ms);
      this.#silence.setHeartbeat(message.heartbeat);
      this.#watchSilence();
    } else if (message.type === "disconnect") {
      this.#retryAfterMs = message.reconnect_after_ms;
    } else if (message.type === "ping") {
      this.send({ type: "pong" });
    }
    this.#onMessage(message, text);
  }

  #speakUp(): void {
    if (this.#wasPaused) this.send({ type: "pong" });
    this.#wasPaused = this.#isPaused;
  }

  #watchSilence(): void {
    clearTimeout(this.#silenceTimer);
    const remaining = this.#silence.remainingMs(this.#now());
    if (remaining <= 0) {
      this.#failure = `the server has been silent for ${Math.round(this.#silence.allowedMs / 1_000)} s`;
      this.#socket.terminate();
    } else {
      this.#silenceTimer = setTimeout(() => this.#watchSilence(), remaining);
    }
  }

  #closed(code: number, reason: string): ConnectionEnd {
    this.#stopTimers();
    const why = this.#failure ?? describeClose(code, reason);
    return { duty: dutyOf(code, reason), why, retryAfterMs: this.#retryAfterMs };
  }

  async #refused(response: IncomingMessage): Promise<ConnectionEnd> {
    this.#stopTimers();
    const timer = setTimeout(() => response.destroy(), handshakeMaxMs);
    let body = "";
    try {
      for await (const chunk of response) {
        body += String(chunk);
        if (body.length > refusalBytesMax) break;
      }
    } catch {
      // The status alone says enough.
    }
    clearTimeout(timer);
    this.#socket.terminate();
    return readHandshakeRefusal(response.statusCode ?? 0, response.headers["retry-after"], body);
  }

  #stopTimers(): void {
    clearTimeout(this.#silenceTimer);
    clearInterval(this.#pongTimer);
  }
}
