// How events and the server's own frames become bytes on one kind of connection. Another transport is another
// encoding, not another path of delivery.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";

export interface Encoding {
  readonly name: string;
  /** This encoding's slot in a shared event: a small integer of its own, from 0. */
  readonly slot: number;
  /** Bytes of the whole of what travels for an event. */
  eventBytes(record: EventRecord): number;
  /** Writes them at an offset; returns the offset after them. Called once per event, however many receive it. */
  writeEvent(record: EventRecord, target: Buffer, at: number): number;
  encodeFrame(frame: ServerFrame): Buffer;
}

/** One event in a buffer of its own. */
export function encodeEvent(encoding: Encoding, record: EventRecord): Buffer {
  const target = Buffer.allocUnsafe(encoding.eventBytes(record));
  encoding.writeEvent(record, target, 0);
  return target;
}
