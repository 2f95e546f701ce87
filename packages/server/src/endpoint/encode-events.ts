// Events of the log as JSON texts next to each other, for responses that are not made of frames.

import type { EventRecord } from "../log/event-log.js";

const end = "}";

function headOf({ seq }: EventRecord): string {
  return `{"type":"event","seq":${seq},`;
}

/** The events (protocol §4) with `after` behind each, in one buffer; `after` is ASCII. */
export function encodeEvents(records: readonly EventRecord[], after: string): Buffer {
  const tail = end + after;
  const size = records.reduce((sum, record) => sum + headOf(record).length + record.fields.length + tail.length, 0);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const record of records) {
    at += bytes.write(headOf(record), at, "latin1");
    at += record.fields.copy(bytes, at);
    at += bytes.write(tail, at, "latin1");
  }
  return bytes;
}
