// One WebSocket from its opening to its end: frames in, commands out, pings answered, silence noticed. Knows no
// subscription and no reconnecting.
import type { Command } from "@sluice/protocol";
import type { Environment } from "./environment.js";
import { readMessage, type ServerMessage } from "./event.js";
import { createLiveness } from "./liveness.js";
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

export interface Connection {
  /** The last round trip that was measured, ms. */
  readonly roundTripMs: number | undefined;
  /** What the server's wall clock is ahead of ours, ms; good to half a round trip. */
  readonly skewMs: number | undefined;
  send(command: OutgoingCommand): void;
  /** Asks the server for a sign of life now; once it has greeted us. */
  doubt(): void;
  /**
   * Stops reading where the WebSocket can do that; TCP then holds the server back. It still hears a `pong` every
   * interval, also while pauses come and go and its pings wait behind what was not read: it is the reader that is slow,
   * we are not gone.
   */
  pause(): void;
  resume(): void;
  /** Ends the connection; nothing is heard of it afterwards. */
  close(): void;
}

/** Takes over a `socket` that is being opened. */
export function superviseSocket(
  socket: WebSocketLike,
  { now, wall, after }: Environment,
  { onMessage, onEnd }: ConnectionPorts,
): Connection {
  const liveness = createLiveness(now());
  let failure: string | undefined;
  let cause: SocketEvent["error"];
  let isPaused = false;
  /** Whether reading was paused at any time since the last look. */
  let wasPaused = false;
  let isOver = false;
  let cancelLook: (() => void) | undefined;
  let cancelPong: (() => void) | undefined;
  let roundTripMs: number | undefined;
  let skewMs: number | undefined;

  const send = (command: OutgoingCommand): void => {
    if (!isOver && socket.readyState === openState) socket.send(JSON.stringify(command));
  };
  const ping = (): void => send({ type: "ping", timestamp: now() });
  const abandon = (): void => {
    isOver = true;
    cancelLook?.();
    cancelPong?.();
  };
  const end = (code: number, reason: string): void => {
    if (isOver) return;
    abandon();
    const status = cause?.status ?? (Number(refusalWords.exec(failure ?? "")?.[1]) || undefined);
    onEnd({ code, reason, why: failure, cause, status });
  };
  const look = (): void => {
    cancelLook?.();
    // Silence is our own doing while nothing is read.
    if (isOver || isPaused) return;
    const ms = liveness.look(now(), ping);
    if (ms > 0) cancelLook = after(ms, look);
    else {
      failure = "the server has gone silent";
      // Its own close event may take long to come over a dead network, so nobody waits for it.
      end(abnormalClosure, "");
      if (socket.terminate === undefined) socket.close();
      else socket.terminate();
    }
  };
  const speakUp = (everyMs: number): void => {
    cancelPong = after(everyMs, () => {
      if (wasPaused) send({ type: "pong" });
      wasPaused = isPaused;
      speakUp(everyMs);
    });
  };
  const receive = (text: string): void => {
    const at = now();
    liveness.heard(at);
    const message = readMessage(text);
    if (message === undefined) return;
    if (message.type === "ping") send({ type: "pong" });
    else if (message.type === "pong" && typeof message.timestamp === "number") {
      roundTripMs = at - message.timestamp;
      skewMs = Date.parse(message.server_time) - wall() + roundTripMs / 2;
    } else if (message.type === "connected") {
      if (socket.pause !== undefined) speakUp(message.heartbeat.interval_ms);
      liveness.begin(message.heartbeat, at);
      ping();
      look();
    }
    onMessage(message, text.length);
  };
  const resume = (): void => {
    if (!isPaused) return;
    isPaused = false;
    liveness.heard(now());
    look();
    socket.resume?.();
  };

  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string" && !isOver) receive(data);
  });
  socket.addEventListener("error", ({ message, error }) => {
    failure ??= message;
    cause ??= error;
    // The WebSocket of Node 22 says nothing more of a handshake that was refused.
    after(closeMaxMs, () => end(abnormalClosure, ""));
  });
  socket.addEventListener("close", ({ code = abnormalClosure, reason = "" }) => end(code, reason));
  look();

  return {
    get roundTripMs() {
      return roundTripMs;
    },
    get skewMs() {
      return skewMs;
    },
    send,
    doubt() {
      liveness.doubt(now());
      look();
    },
    pause() {
      if (isPaused || isOver || socket.pause === undefined) return;
      isPaused = true;
      wasPaused = true;
      socket.pause();
    },
    resume,
    close() {
      if (isOver) return;
      abandon();
      resume();
      socket.close(1000);
      socket.addEventListener(
        "close",
        after(closeMaxMs, () => socket.terminate?.()),
      );
    },
  };
}
