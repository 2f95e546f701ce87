// An event as a publisher sends it (protocol.md §8), checked field by field. Knows no HTTP and no rights.

import { newEventId } from "./event-id.js";
import { encodePayload } from "./event-payload.js";
import { normalizeTimestamp, timestampGrammar } from "./event-timestamp.js";
import { isName, nameGrammar } from "./names.js";

/** An event that passed every check; nothing in it needs another look before it goes on the wire. */
export interface PublishedEvent {
  /** 1 to 256 characters; ours when the publisher gave none. */
  readonly eventId: string;
  readonly eventType: string;
  readonly clusterId: string | undefined;
  /** RFC 3339, UTC, milliseconds. */
  readonly timestamp: string;
  readonly source: string | undefined;
  readonly subject: string | undefined;
  /** The payload as JSON, within the limit; what goes on the wire. */
  readonly payloadText: string;
}

/** What the checks go by. */
export interface EventRules {
  /** Most bytes of UTF-8 JSON in one payload: `limits.payload_bytes`. */
  readonly payloadBytesMax: number;
  /** The timestamp of an event that has none: RFC 3339, UTC, milliseconds. */
  readonly receivedAt: string;
}

/** The first thing that is wrong with an event. */
export interface EventRefusal {
  readonly ok: false;
  readonly reason: "invalid-event" | "payload-too-large";
  /** The name that the publisher used; absent when the value is no object. */
  readonly field: string | undefined;
  /** Completes the sentence that begins with the field. */
  readonly problem: string;
}

/** An event, or why it is none. */
export type EventParse = { readonly ok: true; readonly event: PublishedEvent } | EventRefusal;

/** Longest `event_id`, UTF-16 code units: a UUID, a hash or a path fits, and a dedup window of many stays small. */
export const eventIdLengthMax = 256;
/** Longest `source` and `subject`, UTF-16 code units. */
export const eventTextLengthMax = 1024;

/** Control characters and lone surrogates; the first disturb logs and headers, the second have no UTF-8. */
const unsafeText = /[\p{Cc}\p{Cs}]/u;

/** The values of an event and what its publisher calls them. */
export interface EventFields {
  readonly eventType: unknown;
  readonly clusterId: unknown;
  readonly eventId: unknown;
  readonly timestamp: unknown;
  readonly source: unknown;
  readonly subject: unknown;
  readonly payload: unknown;
}

/** What each field is called in the form the event came in; error messages use these. */
export type EventFieldNames = Readonly<Record<keyof EventFields, string>>;

/** The names of the native form. */
export const nativeFieldNames: EventFieldNames = {
  eventType: "event_type",
  clusterId: "cluster_id",
  eventId: "event_id",
  timestamp: "timestamp",
  source: "source",
  subject: "subject",
  payload: "payload",
};

/**
 * Reads an event in Sluice's own form. Unknown fields are ignored; null in an optional field counts as absent. `payload`
 * has to be there, though it may be null: a misspelt `payload` must not publish an empty event.
 */
export function parsePublishedEvent(value: unknown, rules: EventRules): EventParse {
  if (!isRecord(value)) return invalid(undefined, "must be a JSON object");
  if (value.payload === undefined) return invalid(nativeFieldNames.payload, "is required; send null for none");
  return checkEventFields(
    {
      eventType: value.event_type,
      clusterId: value.cluster_id,
      eventId: value.event_id,
      timestamp: value.timestamp,
      source: value.source,
      subject: value.subject,
      payload: value.payload,
    },
    nativeFieldNames,
    rules,
  );
}

/** Whether `value` is an object with members: no array, no null. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The refusal of one event for one field. */
export function invalid(field: string | undefined, problem: string): EventParse {
  return { ok: false, reason: "invalid-event", field, problem };
}

/** Checks the values of an event, whatever form they came in. The first bad field, in the order of the wire, is named. */
export function checkEventFields(fields: EventFields, names: EventFieldNames, rules: EventRules): EventParse {
  const { eventType } = fields;
  if (!isName(eventType))
    return invalid(names.eventType, isAbsent(eventType) ? "is required" : `must be ${nameGrammar}`);
  const clusterId = fields.clusterId ?? undefined;
  if (clusterId !== undefined && !isName(clusterId)) return invalid(names.clusterId, `must be ${nameGrammar}`);
  const eventId = fields.eventId ?? newEventId();
  if (!isText(eventId, eventIdLengthMax)) return invalid(names.eventId, textGrammar(eventIdLengthMax));
  const timestamp = isAbsent(fields.timestamp) ? rules.receivedAt : normalizeTimestamp(fields.timestamp);
  if (timestamp === undefined) return invalid(names.timestamp, `must be ${timestampGrammar}`);
  const source = fields.source ?? undefined;
  if (source !== undefined && !isText(source, eventTextLengthMax)) {
    return invalid(names.source, textGrammar(eventTextLengthMax));
  }
  const subject = fields.subject ?? undefined;
  if (subject !== undefined && !isText(subject, eventTextLengthMax)) {
    return invalid(names.subject, textGrammar(eventTextLengthMax));
  }
  const payload = encodePayload(fields.payload, rules.payloadBytesMax);
  if (!payload.ok) return { ok: false, reason: payload.reason, field: names.payload, problem: payload.problem };
  return { ok: true, event: { eventId, eventType, clusterId, timestamp, source, subject, payloadText: payload.text } };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function isText(value: unknown, lengthMax: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= lengthMax && !unsafeText.test(value);
}

function textGrammar(lengthMax: number): string {
  return `must be a string of 1 to ${lengthMax} characters, without control characters or lone surrogates`;
}
