// What a tunnel may hold: the arithmetic of `gateway.tunnel.buffer_bytes`.
import type { Settings } from "@sluice/runtime";
import { chunkBytes } from "./backend-socket.js";
import { OutgoingChunks } from "./outgoing-chunks.js";
import type { TunnelBounds } from "./tunnel.js";

/**
 * In the worst case both sides take nothing. Each direction then holds the chunk that its sink did not take, and the
 * client's socket has read one more ahead, on top of up to 16 KiB; a backend's socket reads nothing ahead. What is left
 * of the bound is for frames that have not arrived whole, half in each direction.
 */
const unavoidableBytes = 3 * chunkBytes + 16_384;

/** What a tunnel that is opened with these settings holds to. */
export function tunnelBoundsOf({ gateway: { tunnel } }: Settings): TunnelBounds {
  const holdBytesMax = holdBytesFor(tunnel.buffer_bytes);
  return {
    holdBytesMax,
    // A chunk behind what was held back before it. With a larger bound such pieces are made to measure.
    chunks: new OutgoingChunks(chunkBytes + Math.min(holdBytesMax, chunkBytes)),
    frameBytesMax: tunnel.frame_bytes,
    closeMs: tunnel.close_ms,
    stallMs: tunnel.stall_ms,
  };
}

/** How much of a frame that has not arrived whole may be held in each direction, bytes. */
function holdBytesFor(bufferBytes: number): number {
  return Math.floor((bufferBytes - unavoidableBytes) / 2);
}
