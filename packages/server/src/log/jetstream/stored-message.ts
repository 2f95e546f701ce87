// One event as one message of the stream: names in the subject, the id in the header that JetStream knows duplicates
// by, the event's fields as the payload, untouched.
import { headers, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import type { EventDraft, EventRecord } from "../event-log.js";
import { decodeToken, encodeToken } from "./subject-token.js";

/** Where the id is when it can't stand in `Nats-Msg-Id`, base64url. */
const idHeader = "Sluice-Id";
/** Where a name is of which the subject has only a digest, base64url. */
const typeHeader = "Sluice-Type";
const clusterHeader = "Sluice-Cluster";
const messageIdHeader = "Nats-Msg-Id";

/** An id that may stand in a header as it is: printable, no space at its ends, and not ours in disguise. */
const plainId = /^[\x21-\x7e]{1,256}$/;
const disguise = "=";

/** Longest ids and names, characters; as the other engines. */
const nameLengthMax = 1024;
/** Of a message, what its headers may take beside the payload, bytes: an id and two names in base64, and their words. */
export const headerBytesMax = 3 * 4 * nameLengthMax + 256;

const nsPerMs = 1e6;
/** Tokens of an acknowledgement's subject, `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<consumer seq>.<ns>.<left>`. */
const ackTokens = 9;
/** What newer servers put in front of the stream's name: domain and account. */
const ackTokensInserted = 2;

/** Where a stream keeps its events. */
export function eventSubjects(prefix: string): string {
  return `${prefix}.events.>`;
}

/** The subject of events of a type and a cluster. */
export function eventSubject(prefix: string, eventType: string, clusterId: string | undefined): string {
  return `${prefix}.events.${encodeToken(clusterId)}.${encodeToken(eventType)}`;
}

/** The subjects of events of which the type, the cluster or both are known. */
export function filterSubject(
  prefix: string,
  only: { readonly eventType?: string; readonly clusterId?: string },
): string {
  const cluster = only.clusterId === undefined ? "*" : encodeToken(only.clusterId);
  return `${prefix}.events.${cluster}.${only.eventType === undefined ? "*" : encodeToken(only.eventType)}`;
}

/**
 * The headers of a draft's message.
 * @param messageId what JetStream dedups by; the event's id when absent
 */
export function headersOf(draft: EventDraft, subject: string, messageId?: string): MsgHdrs {
  const all = headers();
  const isPlain = plainId.test(draft.eventId) && !draft.eventId.startsWith(disguise);
  const id = isPlain ? draft.eventId : disguise + toBase64(draft.eventId);
  all.set(messageIdHeader, messageId ?? id);
  if (messageId !== undefined) all.set(idHeader, toBase64(draft.eventId));
  const [cluster, type] = subject.split(".").slice(-2) as [string, string];
  if (!decodeToken(type).readable) all.set(typeHeader, toBase64(draft.eventType));
  if (!decodeToken(cluster).readable) all.set(clusterHeader, toBase64(draft.clusterId as string));
  return all;
}

/** A message's place in the stream and in its consumer. */
export interface MessagePlace {
  readonly seq: number;
  /** Counts what the consumer has delivered, from 1, without a hole. */
  readonly consumerSeq: number;
  readonly storedAtMs: number;
}

/** The place that a delivered message tells of itself in its reply subject. @throws where it is none. */
export function placeOf(message: Msg): MessagePlace {
  const tokens = message.reply?.split(".") ?? [];
  const shift = tokens.length > ackTokens ? ackTokensInserted : 0;
  const [seq, consumerSeq, storedAtNs] = [5, 6, 7].map((index) => Number(tokens[index + shift]));
  if (tokens.length < ackTokens || !Number.isSafeInteger(seq)) {
    throw new Error(`a message of the stream came without its place: ${message.reply ?? "no reply subject"}`);
  }
  return {
    seq: seq as number,
    consumerSeq: consumerSeq as number,
    storedAtMs: Math.round((storedAtNs as number) / nsPerMs),
  };
}

/** The record of a message; it shares no memory with it. */
export function recordOf(
  subject: string,
  all: MsgHdrs | undefined,
  data: Uint8Array,
  place: MessagePlace,
): EventRecord {
  const [cluster = "", type = ""] = subject.split(".").slice(-2);
  return {
    seq: place.seq,
    appendedAtMs: place.storedAtMs,
    eventId: idOf(all),
    eventType: nameOf(type, all, typeHeader) ?? "",
    clusterId: nameOf(cluster, all, clusterHeader),
    fields: Buffer.from(data),
  };
}

/** Why drafts can't be messages: fields or a name that are too long. */
export function sizeProblem(drafts: readonly EventDraft[], fieldsBytesMax: number): RangeError | undefined {
  const isTooLarge = drafts.some(({ eventId, eventType, clusterId, fields }) => {
    const nameLength = Math.max(eventId.length, eventType.length, clusterId?.length ?? 0);
    return fields.length > fieldsBytesMax || nameLength > nameLengthMax;
  });
  if (!isTooLarge) return undefined;
  return new RangeError(`an event is over ${fieldsBytesMax} bytes, or a name in it over ${nameLengthMax} characters`);
}

function idOf(all: MsgHdrs | undefined): string {
  if (all === undefined) return "";
  const own = all.get(idHeader);
  if (own !== "") return fromBase64(own);
  const id = all.get(messageIdHeader);
  return id.startsWith(disguise) ? fromBase64(id.slice(disguise.length)) : id;
}

function nameOf(token: string, all: MsgHdrs | undefined, header: string): string | undefined {
  const decoded = decodeToken(token);
  return decoded.readable ? decoded.name : fromBase64(all?.get(header) ?? "");
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64url").toString("utf8");
}
