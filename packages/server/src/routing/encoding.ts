// How events and the server's own frames become bytes on one kind of connection. Another transport is another
// encoding, not another path of delivery.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";

/** What of an event goes into what travels. */
export type Encodable = Pick<EventRecord, "seq" | "fields" | "fieldsLength">;

export interface Encoding {
  readonly name: string;
  /** This encoding's slot in a shared event: a small integer of its own, from 0. */
  readonly slot: number;
  /** Bytes of the whole of what travels for an event. */
  eventBytes(record: Encodable): number;
  /** Writes them at an offset; returns the offset after them. Called once per event, however many receive it. */
  writeEvent(record: Encodable, target: Buffer, at: number): number;
  /** Most bytes that travel around an event's fields. */
  readonly aroundBytesMax: number;
  /** Writes what travels before an event's fields at an offset; returns the offset after it. */
  writeHead(seq: number, fieldsBytes: number, target: Buffer, at: number): number;
  /** Writes what travels after them; returns the offset after it. */
  writeTail(target: Buffer, at: number): number;
  encodeFrame(frame: ServerFrame): Buffer;
  /**
   * Another form of an event that is worth its making where many wait for it now; absent = as `writeEvent`. What is read
   * from the log has few readers, and is always as `writeEvent` makes it.
   */
  encodeLive?(record: Encodable): Buffer;
}

/** One event in a buffer of its own, for all who receive it live. */
export function encodeEvent(encoding: Encoding, record: Encodable): Buffer {
  if (encoding.encodeLive !== undefined) return encoding.encodeLive(record);
  const target = Buffer.allocUnsafe(encoding.eventBytes(record));
  encoding.writeEvent(record, target, 0);
  return target;
}
