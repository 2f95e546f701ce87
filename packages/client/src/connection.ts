// One WebSocket from its opening to its end: frames in, commands out, pings answered, silence noticed. Knows no
// subscription and no reconnecting.
import type { Command } from "@sluice/protocol";
import type { Environment } from "./environment.js";
import { readMessage, type ServerMessage } from "./event.js";
import { Liveness } from "./liveness.js";
import { openState, type SocketEvent, type WebSocketLike } from "./web-socket.js";

/** How a connection ended. */
export interface ConnectionEnd {
  /** 1006 where nobody said goodbye. */
  readonly code: number;
  readonly reason: string;
  /** In words where the code says nothing: silence, a handshake that was refused. */
  readonly why: string | undefined;
  /** What the WebSocket told of, if it did: only `ws` does. */
  readonly cause: SocketEvent["error"];
  /** HTTP status of a handshake that was not accepted; only `ws` tells. */
  readonly status: number | undefined;
}

/** A command without the members that are left out. */
export type OutgoingCommand = {
  [Key in Command["type"]]: Partial<Extract<Command, { type: Key }>> & { type: Key };
}[Command["type"]];

export interface ConnectionPorts {
  readonly onMessage: (message: ServerMessage, size: number) => void;
  /** Once. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

/** How `ws` words a handshake that was answered with another status than 101. */
const refusalWords = /response: (\d{3})/;
const abnormalClosure = 1006;
/** Longest wait for the end of a socket that we closed, or that failed, ms. */
const closeMaxMs = 1_000;

export class Connection {
  readonly #socket: WebSocketLike;
  readonly #environment: Environment;
  readonly #ports: ConnectionPorts;
  readonly #liveness: Liveness;
  #failure: string | undefined;
  #cause: SocketEvent["error"];
  #isPaused = false;
  /** Whether reading was paused at any time since the last look. */
  #wasPaused = false;
  #isOver = false;
  #cancelLook: (() => void) | undefined;
  #cancelPong: (() => void) | undefined;

  constructor(socket: WebSocketLike, environment: Environment, ports: ConnectionPorts) {
    this.#socket = socket;
    this.#environment = environment;
    this.#ports = ports;
    this.#liveness = new Liveness(environment.now());
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string" && !this.#isOver) this.#receive(data);
    });
    socket.addEventListener("error", ({ message, error }) => {
      this.#failure ??= message;
      this.#cause ??= error;
      // The WebSocket of Node 22 says nothing more of a handshake that was refused.
      environment.after(closeMaxMs, () => this.#end(abnormalClosure, ""));
    });
    socket.addEventListener("close", ({ code = abnormalClosure, reason = "" }) => this.#end(code, reason));
    this.#look();
  }

  get roundTripMs(): number | undefined {
    return this.#liveness.roundTripMs;
  }

  get skewMs(): number | undefined {
    return this.#liveness.skewMs;
  }

  send(command: OutgoingCommand): void {
    if (!this.#isOver && this.#socket.readyState === openState) this.#socket.send(JSON.stringify(command));
  }

  /** Asks the server for a sign of life now. */
  doubt(): void {
    this.#liveness.doubt(this.#environment.now());
    this.#look();
  }

  /**
   * Stops reading where the WebSocket can do that; TCP then holds the server back. It still hears a `pong` every
   * interval, also while pauses come and go and its pings wait behind what was not read: it is the reader that is slow,
   * we are not gone.
   */
  pause(): void {
    if (this.#isPaused || this.#isOver || this.#socket.pause === undefined) return;
    this.#isPaused = true;
    this.#wasPaused = true;
    this.#liveness.suspend();
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#liveness.resume(this.#environment.now());
    this.#socket.resume?.();
  }

  /** Ends the connection; nothing is heard of it afterwards. */
  close(): void {
    if (this.#isOver) return;
    this.#abandon();
    this.resume();
    this.#socket.close(1000);
    const cancel = this.#environment.after(closeMaxMs, () => this.#socket.terminate?.());
    this.#socket.addEventListener("close", cancel);
  }

  #receive(text: string): void {
    const now = this.#environment.now();
    this.#liveness.heard(now);
    const message = readMessage(text);
    if (message === undefined) return;
    if (message.type === "ping") this.send({ type: "pong" });
    else if (message.type === "pong") this.#measure(message.timestamp, message.server_time, now);
    else if (message.type === "connected") {
      if (this.#socket.pause !== undefined) this.#speakUp(message.heartbeat.interval_ms);
      this.#liveness.begin(message.heartbeat, now);
      this.#ping();
      this.#look();
    }
    this.#ports.onMessage(message, text.length);
  }

  #ping(): void {
    this.send({ type: "ping", timestamp: this.#environment.now() });
  }

  #measure(sentAt: string | number | undefined, serverTime: string, now: number): void {
    if (typeof sentAt !== "number") return;
    this.#liveness.answered(sentAt, now, Date.parse(serverTime), this.#environment.wall());
  }

  #look(): void {
    this.#cancelLook?.();
    if (this.#isOver) return;
    const verdict = this.#liveness.look(this.#environment.now());
    if (verdict.act === "lost") {
      this.#failure = `the server has been silent for ${Math.round(verdict.silentMs / 1_000)} s`;
      // Its own close event may take long to come over a dead network, so nobody waits for it.
      this.#end(abnormalClosure, "");
      if (this.#socket.terminate === undefined) this.#socket.close();
      else this.#socket.terminate();
      return;
    }
    if (verdict.act === "probe") this.#ping();
    this.#cancelLook = this.#environment.after(verdict.ms, () => this.#look());
  }

  #speakUp(everyMs: number): void {
    this.#cancelPong = this.#environment.after(everyMs, () => {
      if (this.#wasPaused) this.send({ type: "pong" });
      this.#wasPaused = this.#isPaused;
      this.#speakUp(everyMs);
    });
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#abandon();
    const cause = this.#cause;
    const status = cause?.status ?? (Number(refusalWords.exec(this.#failure ?? "")?.[1]) || undefined);
    this.#ports.onEnd({ code, reason, why: this.#failure, cause, status });
  }

  #abandon(): void {
    this.#isOver = true;
    this.#cancelLook?.();
    this.#cancelPong?.();
  }
}
