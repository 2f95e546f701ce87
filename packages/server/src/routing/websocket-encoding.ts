// Server-to-client text frames of RFC 6455 §5.2: FIN set, opcode 1, unmasked, the shortest length form.

import type { ServerFrame } from "@sluice/protocol";
import { copyFieldsOf, fieldsLengthOf } from "../log/packed-event.js";
import type { Encodable, Encoding } from "./encoding.js";

const finText = 0x81;
const rsv1 = 0x40;
const length16 = 126;
const length64 = 127;
const closingBrace = 0x7d;
const comma = 0x2c;
const zero = 0x30;
const prefix = Buffer.from('{"type":"event","seq":');
/** Above it an integer's remainders are not small ones, which the processor has instructions for. */
const smallMax = 2 ** 31 - 1;
/** A header with a length of 64 bits, the prefix, the digits of the largest seq, a comma, a brace. */
const aroundBytesMax = 10 + prefix.length + 16 + 1 + 1;

function headerBytes(payloadBytes: number): number {
  if (payloadBytes < length16) return 2;
  return payloadBytes <= 0xffff ? 4 : 10;
}

/** Writes the header at an offset; returns the offset after it. */
function writeHeader(target: Buffer, at: number, payloadBytes: number, first = finText): number {
  target[at] = first;
  if (payloadBytes < length16) {
    target[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes <= 0xffff) {
    target[at + 1] = length16;
    target[at + 2] = payloadBytes >>> 8;
    target[at + 3] = payloadBytes & 0xff;
    return at + 4;
  }
  target[at + 1] = length64;
  target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), at + 2);
  return target.writeUInt32BE(payloadBytes >>> 0, at + 6);
}

/** One text frame around `text`. */
export function textFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const target = Buffer.allocUnsafe(headerBytes(payloadBytes) + payloadBytes);
  target.write(text, writeHeader(target, 0, payloadBytes), "utf8");
  return target;
}

/** One text frame around a payload that `permessage-deflate` has made (RFC 7692 §6): RSV1 is set. */
export function deflatedFrame(payload: Buffer): Buffer {
  const target = Buffer.allocUnsafe(headerBytes(payload.length) + payload.length);
  target.set(payload, writeHeader(target, 0, payload.length, finText | rsv1));
  return target;
}

function digits(seq: number): number {
  let count = 1;
  for (let power = 10; power <= seq; power *= 10) count += 1;
  return count;
}

/** The event's JSON. */
export function eventPayload(record: Encodable): Buffer {
  const target = Buffer.allocUnsafe(payloadBytesOf(record));
  writePayload(record, target, 0);
  return target;
}

function writePayload(record: Encodable, target: Buffer, at: number): number {
  return writeTail(target, copyFieldsOf(record, target, writePayloadHead(record.seq, target, at)));
}

/** Byte by byte: for so few that is a third of what writing a string costs. */
function writePayloadHead(seq: number, target: Buffer, at: number): number {
  for (let index = 0; index < prefix.length; index += 1) target[at + index] = prefix[index] as number;
  const start = at + prefix.length;
  const end = start + digits(seq);
  if (seq > smallMax) target.write(String(seq), start, "latin1");
  else {
    for (let index = end - 1, left = seq; index >= start; index -= 1) {
      const rest = Math.trunc(left / 10);
      target[index] = zero + left - rest * 10;
      left = rest;
    }
  }
  target[end] = comma;
  return end + 1;
}

function writeTail(target: Buffer, at: number): number {
  target[at] = closingBrace;
  return at + 1;
}

/** Bytes of the event's JSON (protocol §4): prefix, seq, comma, the record's stored members, brace. */
function payloadBytesOf(record: Encodable): number {
  return payloadBytes(record.seq, fieldsLengthOf(record));
}

function payloadBytes(seq: number, fieldsBytes: number): number {
  return prefix.length + digits(seq) + 1 + fieldsBytes + 1;
}

export const websocketEncoding: Encoding = {
  name: "websocket",
  slot: 0,
  eventBytes: (record) => {
    const payloadBytes = payloadBytesOf(record);
    return headerBytes(payloadBytes) + payloadBytes;
  },
  writeEvent: (record, target, at) => writePayload(record, target, writeHeader(target, at, payloadBytesOf(record))),
  aroundBytesMax,
  writeHead: (seq, fieldsBytes, target, at) =>
    writePayloadHead(seq, target, writeHeader(target, at, payloadBytes(seq, fieldsBytes))),
  writeTail,
  encodeFrame: (frame: ServerFrame) => textFrame(JSON.stringify(frame)),
};
