// Frames as they come, looked at before `ws` reads them: it takes lengths that are written wider than they need be
// (RFC 6455 §5.2). What else can be wrong with a frame it finds itself.

import type { Socket } from "node:net";
import { closes, type CloseEntry } from "@sluice/protocol";
import { type FrameFault, FrameTracker } from "@sluice/runtime";
import { SluiceWebSocket } from "./sluice-web-socket.js";

/** RSV1 is permessage-deflate's (RFC 7692 §6), the only extension there can be. */
const deflateBit = 0b100;
const closeOfFault: Readonly<Record<FrameFault, CloseEntry>> = {
  protocol: closes.protocolError,
  "too-big": closes.messageTooBig,
};

export interface WatchFramesOptions {
  /** `limits.message_bytes`. */
  readonly frameBytesMax: number;
  readonly close: (entry: CloseEntry) => void;
}

/** Has the connection closed at the first frame that breaks a rule; messages that were whole before it are still heard. */
export function watchFrames(webSocket: SluiceWebSocket, socket: Socket, options: WatchFramesOptions): void {
  const { frameBytesMax, close } = options;
  const reservedBits = webSocket.extensions === "" ? 0 : deflateBit;
  const frames = new FrameTracker({ masked: true, frameBytesMax, reservedBits });
  socket.prependListener("data", (chunk: Buffer) => {
    if (webSocket.readyState !== SluiceWebSocket.OPEN) return;
    frames.follow(chunk);
    const { fault, boundary } = frames;
    if (fault === undefined) return;
    if (boundary === 0) close(closeOfFault[fault]);
    else queueMicrotask(() => close(closeOfFault[fault]));
  });
}
