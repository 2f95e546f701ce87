// From the body of a publish to drafts for the log: every event checked, all or nothing. Touches no socket and no log.
import { isUtf8 } from "node:buffer";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  cloudEventFieldNames,
  nativeFieldNames,
  parseCloudEvent,
  parsePublishedEvent,
  type EventParse,
  type EventRules,
  type HttpHeaders,
} from "@sluice/protocol";
import type { Clock, Rights } from "@sluice/runtime";
import type { EventDraft } from "../log/event-log.js";
import type { Problem } from "./problem.js";
import { batchProblem, draftOf, eventProblem, placeOf } from "./publish-draft.js";
import { readPublishForm, type PublishForm } from "./publish-form.js";
import { eventTextBytesMax, type PublishLimits } from "./publish-limits.js";
import { forbiddenField } from "./publish-rights.js";
import { isJsonArray, jsonArrayTexts, jsonText, ndjsonTexts, type EventText } from "./publish-texts.js";

/** A publish as it arrived. */
export interface PublishRequest {
  /** `Content-Type`, which decides on the form together with the `ce-` headers. */
  readonly contentType: string | undefined;
  /** Names in lower case. */
  readonly headers: HttpHeaders;
  /** At most `limits.publish_body_bytes`; read, not kept. */
  readonly body: Buffer;
}

/** What the events are held to. */
export interface PublishRules {
  readonly limits: PublishLimits;
  /** Of the publisher; an event beyond them refuses the request. */
  readonly rights: Rights;
  /** Its wall clock dates events that have no timestamp, its monotonic one bounds each slice of work. */
  readonly clock: Clock;
}

/** The drafts, at least one, in the order of the body; or what refuses the whole of it. */
export type PublishParse =
  | { readonly ok: true; readonly drafts: readonly EventDraft[] }
  | { readonly ok: false; readonly problem: Problem };

/** Longest work between two turns of the event loop, ms; a single large event may take longer. */
const sliceMsMax = 5;
/** Events between two looks at the clock: about 0.1 ms of small ones. */
const eventsPerLook = 32;

/**
 * Reads and checks a publish in any of its forms (protocol.md §8). The first event that is malformed, over a limit or
 * beyond the rights refuses all of them, and the problem names its index. Works in slices of a few milliseconds, so that
 * a body of many megabytes keeps nobody else waiting. An absent or empty body, and an empty array, is refused too.
 */
export async function parsePublishBody(request: PublishRequest, rules: PublishRules): Promise<PublishParse> {
  const form = readPublishForm(request.contentType, request.headers);
  if ("name" in form) return refuse(form);
  if (form.kind === "cloud-event-binary") return parseBinary(form, request.body, rules);
  if (!isUtf8(request.body)) return refuse(notUtf8);
  return parseTexts(form.kind, withoutByteOrderMark(request.body), rules);
}

type TextForm = Exclude<PublishForm["kind"], "cloud-event-binary">;

async function parseTexts(form: TextForm, body: Buffer, rules: PublishRules): Promise<PublishParse> {
  const { limits, clock } = rules;
  const parse = form === "json" || form === "ndjson" ? parsePublishedEvent : parseCloudEvent;
  const names = form === "json" || form === "ndjson" ? nativeFieldNames : cloudEventFieldNames;
  const eventRules = eventRulesOf(rules);
  const bytesMax = eventTextBytesMax(limits);
  const drafts: EventDraft[] = [];
  let sliceStartMs = clock.now();
  for (const text of textsOf(form, body, bytesMax)) {
    const index = drafts.length;
    if (index === limits.publish_batch_events) return refuse(batchProblem(limits));
    if (text.end - text.start > bytesMax) return refuse(tooLong(index, text.line, bytesMax));
    const value = parseJson(body, text);
    if (value === undefined) return refuse(notJson(index, text.line));
    const parsed = parse(value, eventRules);
    if (!parsed.ok) return refuse(eventProblem(parsed, limits, index, text.line));
    const forbidden = forbiddenField(rules.rights, parsed.event.eventType, parsed.event.clusterId);
    if (forbidden !== undefined) return refuse(beyondRights(index, text.line, names[forbidden]));
    drafts.push(draftOf(parsed.event));
    if (drafts.length % eventsPerLook === 0 && clock.now() - sliceStartMs >= sliceMsMax) {
      await nextTurn();
      sliceStartMs = clock.now();
    }
  }
  return drafts.length === 0 ? refuse(noEvents) : { ok: true, drafts };
}

function textsOf(form: TextForm, body: Buffer, bytesMax: number): Iterable<EventText> {
  if (form === "ndjson") return ndjsonTexts(body);
  const isBatch = form === "cloud-event-batch" || (form === "json" && isJsonArray(body));
  return isBatch ? jsonArrayTexts(body, bytesMax) : jsonText(body);
}

function parseBinary(
  form: Extract<PublishForm, { readonly kind: "cloud-event-binary" }>,
  body: Buffer,
  rules: PublishRules,
): PublishParse {
  const bytesMax = eventTextBytesMax(rules.limits);
  if (body.length > bytesMax) return refuse(tooLong(0, undefined, bytesMax));
  if (form.data !== "bytes" && !isUtf8(body)) return refuse(notUtf8);
  const data = dataOf(form.data, body);
  if (data === undefined) return refuse(notJson(0, undefined));
  const parsed = parseCloudEvent({ ...form.attributes, ...data }, eventRulesOf(rules));
  if (!parsed.ok) return refuse(eventProblem(inHeaders(parsed), rules.limits, 0));
  const forbidden = forbiddenField(rules.rights, parsed.event.eventType, parsed.event.clusterId);
  if (forbidden !== undefined) return refuse(beyondRights(0, undefined, `ce-${cloudEventFieldNames[forbidden]}`));
  return { ok: true, drafts: [draftOf(parsed.event)] };
}

/** The members that stand for the body in the JSON format; undefined where it is not the JSON it says it is. */
function dataOf(kind: "json" | "text" | "bytes", body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (body.length === 0) return {};
  if (kind === "bytes") return { data_base64: body.toString("base64") };
  const text = withoutByteOrderMark(body);
  if (kind === "text") return { data: text.toString() };
  const data = parseJson(text, { start: 0, end: text.length });
  return data === undefined ? undefined : { data };
}

/** What the JSON format calls `id` is the header `ce-id`; the data has no header. */
function inHeaders(refused: Extract<EventParse, { readonly ok: false }>): typeof refused {
  const { field } = refused;
  if (field === undefined || field === "data") return refused;
  return { ...refused, field: field === "data_base64" ? "data" : `ce-${field}` };
}

function eventRulesOf({ limits, clock }: PublishRules): EventRules {
  return { payloadBytesMax: limits.payload_bytes, receivedAt: new Date(clock.wall()).toISOString() };
}

/** Undefined where it is not JSON; no JSON text means undefined. */
function parseJson(body: Buffer, { start, end }: EventText): unknown {
  try {
    return JSON.parse(body.toString("utf8", start, end)) as unknown;
  } catch {
    return undefined;
  }
}

/** Some Windows tools begin UTF-8 with one; a JSON reader may ignore it (RFC 8259 §8.1). */
const byteOrderMark = Buffer.from("\ufeff");

function withoutByteOrderMark(body: Buffer): Buffer {
  return body.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? body.subarray(byteOrderMark.length) : body;
}

function refuse(problem: Problem): PublishParse {
  return { ok: false, problem };
}

const notUtf8: Problem = { name: "malformed-body", detail: "The body is not UTF-8" };
const noEvents: Problem = { name: "no-events", detail: "The body holds no event" };

function notJson(index: number, line: number | undefined): Problem {
  return { name: "malformed-body", detail: `${placeOf(index, line)} is not JSON`, index, line };
}

function tooLong(index: number, line: number | undefined, allowed: number): Problem {
  const detail = `${placeOf(index, line)} is longer than ${allowed} bytes`;
  return { name: "event-too-large", detail, index, line, allowed };
}

function beyondRights(index: number, line: number | undefined, field: string): Problem {
  const detail = `${placeOf(index, line)}: ${field} is not among what the token may publish`;
  return { name: "forbidden", detail, index, line, field };
}
