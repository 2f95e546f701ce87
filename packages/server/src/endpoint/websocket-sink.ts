// Writes ready frames to a WebSocket's own TCP socket, past `ws`'s sender: one write for many events.

import type { CloseEntry } from "@sluice/protocol";
import type { Duplex } from "node:stream";
import type { Sink } from "../delivery/sink.js";
import { SluiceWebSocket } from "./sluice-web-socket.js";

export class WebSocketSink implements Sink {
  readonly #socket: Duplex;
  readonly #webSocket: SluiceWebSocket;
  readonly #closing: Set<SluiceWebSocket>;

  /** Adds the WebSocket to `closing` when it is closed; taking it out again is the owner's matter. */
  constructor(webSocket: SluiceWebSocket, socket: Duplex, closing: Set<SluiceWebSocket>) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#closing = closing;
  }

  /** After a close frame, ours or the client's, nothing more may be sent (RFC 6455 §5.5.1): it is let go. */
  write(bytes: Buffer): boolean {
    if (this.#webSocket.readyState !== SluiceWebSocket.OPEN) return true;
    // A write over the high-water mark returns false even when the kernel took all of it at once.
    return this.#socket.write(bytes) || this.#socket.writableLength === 0;
  }

  get holdsBytes(): boolean {
    return this.#socket.writableLength > 0;
  }

  close(entry: CloseEntry): void {
    this.#closing.add(this.#webSocket);
    this.#webSocket.close(entry.code, entry.reason);
  }

  holdCommands(hold: boolean): void {
    if (hold) this.#webSocket.pause();
    else this.#webSocket.resume();
  }
}
