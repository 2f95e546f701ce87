// Opens a WebSocket over a plain socket and hands out the bytes behind the handshake: a client that costs nothing but
// its system calls.

import { connect, type Socket } from "node:net";
import { handshakeRequest, maskedFrame } from "./raw-handshake.js";

export interface OpenOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent right after the handshake; null = nothing. */
  readonly subscribe: string | null;
  /** Bytes of one read. */
  readonly readBytes: number;
  /** Takes what was read; false stops reading until `socket.resume()`. Not called for the handshake. */
  readonly onBytes: (bytes: Buffer, length: number, socket: Socket) => boolean;
  readonly onClose?: () => void;
}

/** Resolves when the handshake is done. @throws with the answer when it was refused. */
export function openConnection(options: OpenOptions): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let head = "";
    let upgraded = false;
    const onHandshake = (chunk: Buffer, length: number): boolean => {
      head += chunk.toString("latin1", 0, length);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) return true;
      if (!head.startsWith("HTTP/1.1 101")) {
        reject(new Error(`handshake refused: ${head.slice(0, 200)}`));
        return true;
      }
      upgraded = true;
      if (options.subscribe !== null) socket.write(maskedFrame(options.subscribe));
      const rest = Buffer.from(head.slice(end + 4), "latin1");
      resolve(socket);
      return rest.length === 0 || options.onBytes(rest, rest.length, socket);
    };
    const socket = connect({
      port: options.port,
      host: "127.0.0.1",
      onread: {
        buffer: Buffer.allocUnsafe(options.readBytes),
        callback: (length: number, buffer: Uint8Array): boolean => {
          const bytes = buffer as Buffer;
          return upgraded ? options.onBytes(bytes, length, socket) : onHandshake(bytes, length);
        },
      },
    });
    socket.on("connect", () => socket.write(handshakeRequest(options.port, options.path, options.headers)));
    socket.on("error", reject);
    socket.on("close", () => options.onClose?.());
  });
}

const atOnce = 50;

/** Opens so many connections, some at a time. */
export async function openConnections(count: number, open: (index: number) => Promise<unknown>): Promise<void> {
  for (let opened = 0; opened < count; opened += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, count - opened) }, (_, index) => opened + index);
    await Promise.all(group.map(open));
  }
}
