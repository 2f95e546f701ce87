// The bounds of a publish, as the settings give them, and what follows from them for the text of one event.
import type { Settings } from "@sluice/runtime";

/** `limits.*` that a publish is held to. */
export type PublishLimits = Pick<Settings["limits"], "payload_bytes" | "publish_body_bytes" | "publish_batch_events">;

/** A character of a string can take six bytes where it comes in (`\u0041`) for one where it goes out. */
const escapeBytesMax = 6;

/** Room for an event's other fields, and for the fields that we ignore, bytes. */
const envelopeBytes = 65_536;

/**
 * Longest text of one event in a body, bytes: no payload within its limit needs more, however it is escaped, and one text
 * is decoded in one turn of the event loop. Past it 413.
 */
export function eventTextBytesMax(limits: PublishLimits): number {
  return escapeBytesMax * limits.payload_bytes + envelopeBytes;
}

/** Most bytes of one event without white space and escapes. Past it 413. */
export function eventBytesMax(limits: PublishLimits): number {
  return limits.payload_bytes + envelopeBytes;
}
