// Server-Sent Events (WHATWG HTML §9.2): the event's JSON as `data`, its cursor as `id`; our other frames as events of
// their name; heartbeats as comments that still move the cursor on.

import type { ServerFrame } from "@sluice/protocol";
import { copyFieldsOf, fieldsLengthOf } from "../log/packed-event.js";
import type { Encodable, Encoding } from "./encoding.js";

/** A cursor as `id:` and `Last-Event-ID` carry it. */
export function formatCursor(epoch: string, seq: number): string {
  return `${epoch}:${seq}`;
}

/** Reads a cursor back; undefined when it is none. */
export function parseCursor(text: string): { readonly epoch: string; readonly seq: number } | undefined {
  const match = /^([^:]{1,128}):(\d{1,16})$/.exec(text);
  const seq = Number(match?.[2]);
  if (match?.[1] === undefined || !Number.isSafeInteger(seq)) return undefined;
  return { epoch: match[1], seq };
}

const eventEnd = "}\n\n";
/** Digits of the largest seq. */
const seqDigitsMax = 16;

/** Moves a client's cursor: no event is dispatched without data, but the id counts (WHATWG HTML §9.2.6). */
export function encodeCursor(epoch: string, seq: number): Buffer {
  return Buffer.from(`id: ${formatCursor(epoch, seq)}\n\n`);
}

/** The encoding of streams from the log `epoch`. */
export function createSseEncoding(epoch: string): Encoding {
  const headOf = (seq: number): string => `id: ${formatCursor(epoch, seq)}\ndata: {"type":"event","seq":${seq},`;
  const encodeFrame = (frame: ServerFrame): Buffer => {
    if (frame.type === "ping") {
      return Buffer.concat([Buffer.from(`: ping ${frame.timestamp}\n`), encodeCursor(epoch, frame.seq)]);
    }
    // An EventSource comes back by itself, after as long as it was last told.
    const retry = frame.type === "disconnect" ? `retry: ${frame.reconnect_after_ms}\n` : "";
    return Buffer.from(`${retry}event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`);
  };
  const writeHead = (seq: number, _fieldsBytes: number, target: Buffer, at: number): number =>
    at + target.write(headOf(seq), at, "latin1");
  const writeTail = (target: Buffer, at: number): number => at + target.write(eventEnd, at, "latin1");
  return {
    name: "sse",
    slot: 1,
    eventBytes: (record: Encodable) => headOf(record.seq).length + fieldsLengthOf(record) + eventEnd.length,
    writeEvent: (record: Encodable, target: Buffer, at: number) =>
      writeTail(target, copyFieldsOf(record, target, writeHead(record.seq, fieldsLengthOf(record), target, at))),
    aroundBytesMax: headOf(0).length + 2 * seqDigitsMax + eventEnd.length,
    writeHead,
    writeTail,
    encodeFrame,
  };
}
