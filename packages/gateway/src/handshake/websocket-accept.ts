// The key and its answer (RFC 6455 §4.2.2): proof that the other end speaks WebSocket and meant this handshake.
import { createHash, randomBytes } from "node:crypto";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyBytes = 16;

/** A fresh `Sec-WebSocket-Key`. */
export function newWebSocketKey(): string {
  return randomBytes(keyBytes).toString("base64");
}

/** The `Sec-WebSocket-Accept` that belongs to a key. */
export function acceptFor(key: string): string {
  return createHash("sha1")
    .update(key + guid)
    .digest("base64");
}
