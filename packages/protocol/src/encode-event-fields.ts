// The one encoding of an event: made when it is published, stored and sent as it is.

import type { PublishedEvent } from "./published-event.js";

/**
 * The members of the wire's event that follow `seq` (protocol.md §4), without braces:
 * `"event_id":"…","event_type":"…","cluster_id":"…","timestamp":"…","source":"…","subject":"…","payload":…`.
 * `cluster_id`, `source` and `subject` are there only when the event has them.
 */
export function encodeEventFields(event: PublishedEvent): string {
  // The grammar of names and timestamps leaves nothing to escape; the other strings are the publisher's own.
  let text = `"event_id":${JSON.stringify(event.eventId)},"event_type":"${event.eventType}"`;
  if (event.clusterId !== undefined) text += `,"cluster_id":"${event.clusterId}"`;
  text += `,"timestamp":"${event.timestamp}"`;
  if (event.source !== undefined) text += `,"source":${JSON.stringify(event.source)}`;
  if (event.subject !== undefined) text += `,"subject":${JSON.stringify(event.subject)}`;
  return `${text},"payload":${event.payloadText}`;
}
