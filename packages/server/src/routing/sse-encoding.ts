// Server-Sent Events (WHATWG HTML §9.2): the event's JSON as `data`, its cursor as `id`; our other frames as events of
// their name; heartbeats as comments that still move the cursor on.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";
import type { Encoding } from "./encoding.js";

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

/** The encoding of streams from the log `epoch`. */
export function createSseEncoding(epoch: string): Encoding {
  const encodeEvent = ({ seq, fields }: EventRecord): Buffer => {
    const head = `id: ${formatCursor(epoch, seq)}\ndata: {"type":"event","seq":${seq},`;
    const target = Buffer.allocUnsafe(head.length + fields.length + 3);
    let at = target.write(head, "latin1");
    at += fields.copy(target, at);
    target.write("}\n\n", at, "latin1");
    return target;
  };
  const encodeFrame = (frame: ServerFrame): Buffer => {
    // No event is dispatched without data, but the id counts (WHATWG HTML §9.2.6).
    if (frame.type === "ping") return Buffer.from(`: ping ${frame.timestamp}\nid: ${formatCursor(epoch, frame.seq)}\n\n`);
    return Buffer.from(`event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`);
  };
  return { name: "sse", slot: 1, encodeEvent, encodeFrame };
}
