// Server-to-client text frames of RFC 6455 §5.2: FIN set, opcode 1, unmasked, the shortest length form.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";
import type { Encoding } from "./encoding.js";

const finText = 0x81;
const length16 = 126;
const length64 = 127;
const prefix = '{"type":"event","seq":';

function headerBytes(payloadBytes: number): number {
  if (payloadBytes < length16) return 2;
  return payloadBytes <= 0xffff ? 4 : 10;
}

function writeHeader(target: Buffer, payloadBytes: number): number {
  target[0] = finText;
  if (payloadBytes < length16) {
    target[1] = payloadBytes;
    return 2;
  }
  if (payloadBytes <= 0xffff) {
    target[1] = length16;
    target.writeUInt16BE(payloadBytes, 2);
    return 4;
  }
  target[1] = length64;
  target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), 2);
  target.writeUInt32BE(payloadBytes >>> 0, 6);
  return 10;
}

/** One text frame around `text`. */
export function textFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const target = Buffer.allocUnsafe(headerBytes(payloadBytes) + payloadBytes);
  target.write(text, writeHeader(target, payloadBytes), "utf8");
  return target;
}

/** The event of protocol §4 around the record's stored members, which are copied as they are. */
function eventFrame(record: EventRecord): Buffer {
  const head = `${prefix}${record.seq},`;
  const payloadBytes = head.length + record.fields.length + 1;
  const target = Buffer.allocUnsafe(headerBytes(payloadBytes) + payloadBytes);
  let at = writeHeader(target, payloadBytes);
  at += target.write(head, at, "latin1");
  at += record.fields.copy(target, at);
  target[at] = 0x7d;
  return target;
}

export const websocketEncoding: Encoding = {
  name: "websocket",
  slot: 0,
  encodeEvent: eventFrame,
  encodeFrame: (frame: ServerFrame) => textFrame(JSON.stringify(frame)),
};
