// Writes ready text to the socket of an HTTP response that has no end of its own: no chunks around it, so that all
// members of a lane can share one buffer.

import type { CloseEntry } from "@sluice/protocol";
import type { Socket } from "node:net";
import type { Sink } from "../delivery/sink.js";

/** How long a peer may take to read what is left before it is cut off, ms. */
const endMsMax = 3000;

export class SseSink implements Sink {
  closedWith: number | undefined;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Buffer): boolean {
    if (!this.#socket.writable) return true;
    return this.#socket.write(bytes) || this.#socket.writableLength === 0;
  }

  get holdsBytes(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** The stream says why it ends, as far as SSE can: an event `close` with the code that a WebSocket would get. */
  close({ code, reason }: CloseEntry): void {
    this.closedWith = code;
    if (!this.#socket.writable) return;
    this.#socket.end(`event: close\ndata: ${JSON.stringify({ type: "close", code, reason })}\n\n`);
    setTimeout(() => this.#socket.destroy(), endMsMax).unref();
  }

  /** There are no commands on a one-way stream. */
  holdCommands(): void {}
}
