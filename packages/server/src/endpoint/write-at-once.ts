// Gives bytes to the kernel at once, past the machinery of Node's streams, which keeps an object and a turn of its
// queue for every write. Nothing is allocated where the kernel takes all.

import type { Socket } from "node:net";
import { handleOf, newWriteRequest, type WriteRequest } from "./tcp-handle.js";

/**
 * `taken`: the kernel has them. `under-way`: it has not taken all; the rest goes in order, before whatever the stream writes
 * from now on, and the bytes must not be changed until a later write of the stream is through. `untried`: they are the
 * stream's to write, as something waits there, it is corked or over, or Node has no such way.
 */
export type AtOnce = "taken" | "under-way" | "untried";

/** Used again and again: a write that the kernel takes whole leaves it as it was. */
let request: WriteRequest | undefined = newWriteRequest?.();

/** Tries to write; a socket that fails is left to the stream, which tells of it. */
export function writeAtOnce(socket: Socket, bytes: Buffer): AtOnce {
  if (request === undefined || !socket.writable || socket.writableLength > 0 || socket.writableCorked > 0) {
    return "untried";
  }
  const handle = handleOf(socket);
  if (handle === undefined || handle.writeBuffer(request, bytes) !== 0) return "untried";
  if (request.getAsyncId() === -1) return "taken";
  request.buffer = bytes;
  request = newWriteRequest?.();
  return "under-way";
}
