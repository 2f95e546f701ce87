// What a load client says to a server: the handshake and masked frames, made by hand because it says them to thousands.

import { randomBytes } from "node:crypto";

const length16 = 126;
const finText = 0x81;
const masked = 0x80;

/** A client's opening handshake (RFC 6455 §4.1), without extensions unless `headers` offer one. */
export function handshakeRequest(port: number, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${lines.join("")}\r\n`
  );
}

/** A masked text frame of at most 64 KiB, as clients send them. */
export function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head =
    payload.length < length16
      ? Buffer.from([finText, masked | payload.length])
      : Buffer.from([finText, masked | length16, payload.length >> 8, payload.length & 0xff]);
  for (let index = 0; index < payload.length; index += 1) {
    payload[index] = (payload[index] as number) ^ (mask[index % mask.length] as number);
  }
  return Buffer.concat([head, mask, payload]);
}
