// The one encoding of an event: made when it is published, stored and sent as it is.

import type { PublishedEvent } from "./published-event.js";

/**
 * The members of the wire's event that follow `seq` (protocol.md §4), without braces:
 * `"event_id":"…","event_type":"…","cluster_id":"…","timestamp":"…","source":"…","subject":"…","payload":…`.
 * `cluster_id`, `source` and `subject` are there only when the event has them.
 */
export function encodeEventFields(event: PublishedEvent): string {
  // The grammar of names and timestamps leaves nothing to escape; the other strings are the publisher's own. One
  // template and not a sum: fewer pieces to join, a third of the time.
  const cluster = event.clusterId === undefined ? "" : `,"cluster_id":"${event.clusterId}"`;
  const source = event.source === undefined ? "" : `,"source":${quote(event.source)}`;
  const subject = event.subject === undefined ? "" : `,"subject":${quote(event.subject)}`;
  return `"event_id":${quote(event.eventId)},"event_type":"${event.eventType}"${cluster},"timestamp":"${event.timestamp}"${source}${subject},"payload":${event.payloadText}`;
}

/** Printable ASCII without `"` and `\`. */
const needsNoEscape = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return needsNoEscape.test(text) ? `"${text}"` : JSON.stringify(text);
}
