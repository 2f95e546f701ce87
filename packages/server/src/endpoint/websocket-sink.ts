// Writes ready frames to a WebSocket's own TCP socket, past `ws`'s sender: one write for many events.

import type { CloseEntry } from "@sluice/protocol";
import type { Socket } from "node:net";
import type { Sink } from "../delivery/sink.js";
import { writeAtOnce } from "./write-at-once.js";
import { SluiceWebSocket } from "./sluice-web-socket.js";

/** The way out of one WebSocket; what `ws` writes to its socket, control frames and the close, keeps its place. */
export class WebSocketSink implements Sink {
  readonly #socket: Socket;
  readonly #webSocket: SluiceWebSocket;
  readonly #closing: Set<SluiceWebSocket>;
  /** The kernel hasn't taken all of a write that the stream knows nothing of. */
  #isUnderWay = false;

  /**
   * Adds the WebSocket to `closing` when it is closed; taking it out again is the owner's matter. When a transport that
   * hadn't taken everything has drained, the socket emits `drain`.
   */
  constructor(webSocket: SluiceWebSocket, socket: Socket, closing: Set<SluiceWebSocket>) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#closing = closing;
  }

  /** After a close frame, ours or the client's, nothing more may be sent (RFC 6455 §5.5.1): it is let go. */
  write(bytes: Buffer): boolean {
    if (this.#webSocket.readyState !== SluiceWebSocket.OPEN) return true;
    const outcome = writeAtOnce(this.#socket, bytes);
    if (outcome === "taken") return true;
    if (outcome === "under-way") {
      this.#awaitRest();
      return false;
    }
    // A write over the high-water mark returns false even when the kernel took all of it at once.
    return this.#socket.write(bytes) || this.#socket.writableLength === 0;
  }

  /** An empty write is behind the rest, and keeps what the stream writes meanwhile behind it too. */
  #awaitRest(): void {
    this.#isUnderWay = true;
    this.#socket.write(nothing, () => {
      this.#isUnderWay = false;
      if (!this.#socket.destroyed) this.#socket.emit("drain");
    });
  }

  get holdsBytes(): boolean {
    return this.#isUnderWay || this.#socket.writableLength > 0;
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

const nothing = Buffer.alloc(0);
