// The key and its answer (RFC 6455 §4.2.2): proof that the other end speaks WebSocket and meant this handshake.
import { hash } from "node:crypto";
import { randomText } from "./random-text.js";

const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyBytes = 16;

/** A fresh `Sec-WebSocket-Key`. */
export function newWebSocketKey(): string {
  return randomText(keyBytes, "base64");
}

/** The `Sec-WebSocket-Accept` that belongs to a key. */
export function acceptFor(key: string): string {
  // In one call: the object of a `createHash` lives on outside the heap until the next full collection.
  return hash("sha1", key + guid, "base64");
}
