// How events and the server's own frames become bytes on one kind of connection. Another transport is another
// encoding, not another path of delivery.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";

/** Most encodings a process can have; shared events keep one slot for each. */
export const encodingsMax = 4;

export interface Encoding {
  readonly name: string;
  /** This encoding's slot in a shared event: 0 to `encodingsMax` − 1, its own. */
  readonly slot: number;
  /** The whole of what travels for an event. Called once per event and encoding, however many receive it. */
  encodeEvent(record: EventRecord): Buffer;
  encodeFrame(frame: ServerFrame): Buffer;
}
