// Frames as they come, looked at before `ws` reads them: it takes lengths that are written wider than they need be
// (RFC 6455 §5.2). What else can be wrong with a frame it finds itself. The answer to a ping, which is nearly all that
// idle connections send, is taken here.

import type { Socket } from "node:net";
import { closes, type CloseEntry } from "@sluice/protocol";
import { type FrameFault, FrameTracker } from "@sluice/runtime";
import { isPongFrame } from "./pong-frame.js";
import { SluiceWebSocket } from "./sluice-web-socket.js";
import { readInto } from "./tcp-handle.js";

/** RSV1 is permessage-deflate's (RFC 7692 §6), the only extension there can be. */
const deflateBit = 0b100;
/** Read at once at most, bytes; as Node does. */
const readBytes = 64 * 1024;
const closeOfFault: Readonly<Record<FrameFault, CloseEntry>> = {
  protocol: closes.protocolError,
  "too-big": closes.messageTooBig,
};

export interface WatchFramesOptions {
  /** `limits.message_bytes`. */
  readonly frameBytesMax: number;
  readonly close: (entry: CloseEntry) => void;
  /** A `pong` came, alone and between two messages. With it neither `ws` nor the stream gets that; default none. */
  readonly onPong?: () => void;
}

/** Has the connection closed at the first frame that breaks a rule; messages that were whole before it are still heard. */
export function watchFrames(webSocket: SluiceWebSocket, socket: Socket, options: WatchFramesOptions): void {
  const { frameBytesMax, close, onPong } = options;
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
  if (onPong === undefined) return;
  // Through the stream and `ws` it would cost five times as much, and keep a kilobyte of each connection for their state;
  // where Node reads in no other way than that, that is how it goes.
  // Once everything that the stream was given is heard, only giving it more can change that: of thousands of idle
  // connections nothing else needs to be fetched from memory. A socket that is not listened to isn't read.
  let isAllHeard = false;
  readInto(socket, memory, (count) => {
    if (isPongFrame(memory, count)) {
      isAllHeard ||= isBetweenMessages(frames, webSocket, socket);
      if (isAllHeard) {
        onPong();
        return true;
      }
    }
    isAllHeard = false;
    return socket.push(copyOf(count));
  });
}

/** What is read, of any connection: looked at or copied before anything else is read. */
const memory = Buffer.allocUnsafeSlow(readBytes);

/** Memory of its own, as small as can be: the beginning of a message may wait for the rest. */
function copyOf(count: number): Buffer {
  const chunk = Buffer.allocUnsafeSlow(count);
  memory.copy(chunk, 0, 0, count);
  return chunk;
}

/** Nothing that came before waits to be read, and no message has begun. */
function isBetweenMessages(frames: FrameTracker, webSocket: SluiceWebSocket, socket: Socket): boolean {
  const hasReadAll = socket.readableFlowing === true && socket.readableLength === 0;
  const isWhole = frames.isAtBoundary && frames.isBetweenMessages;
  const isHeard = frames.fault === undefined && frames.closeCode === undefined;
  return hasReadAll && isWhole && isHeard && webSocket.readyState === SluiceWebSocket.OPEN;
}
