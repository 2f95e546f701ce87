// How events and the server's own frames become bytes on one kind of connection. Another transport is another
// encoding, not another path of delivery.

import type { ServerFrame } from "@sluice/protocol";
import type { EventRecord } from "../log/event-log.js";

export interface Encoding {
  readonly name: string;
  /** This encoding's slot in a shared event: a small integer of its own, from 0. */
  readonly slot: number;
  /** The whole of what travels for an event. Called once per event and encoding, however many receive it. */
  encodeEvent(record: EventRecord): Buffer;
  encodeFrame(frame: ServerFrame): Buffer;
}
