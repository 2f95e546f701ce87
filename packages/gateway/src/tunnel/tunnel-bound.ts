// What a tunnel may hold: the arithmetic of `gateway.tunnel.buffer_bytes`.
import { chunkBytes } from "./backend-socket.js";

/**
 * In the worst case both sides take nothing. Each direction then holds the chunk that its sink did not take, and the
 * client's socket has read one more ahead, on top of up to 16 KiB; a backend's socket reads nothing ahead. What is left
 * of the bound is for frames that have not arrived whole, half in each direction.
 */
const unavoidableBytes = 3 * chunkBytes + 16_384;

/** How much of a frame that has not arrived whole may be held in each direction, bytes. */
export function holdBytesFor(bufferBytes: number): number {
  return Math.floor((bufferBytes - unavoidableBytes) / 2);
}
