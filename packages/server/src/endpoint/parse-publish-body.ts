// From the body of a publish to drafts for the log: every event checked, all or nothing. Touches no socket and no log.
import { isUtf8 } from "node:buffer";
import {
  cloudEventFieldNames,
  nativeFieldNames,
  parseCloudEvent,
  parsePublishedEvent,
  type EventFieldNames,
  type HttpHeaders,
} from "@sluice/protocol";
import type { Clock, Problem, Rights } from "@sluice/runtime";
import type { EventDraft } from "../log/event-log.js";
import { TurnBudget } from "../log/turn-budget.js";
import { EventPacker } from "./event-packer.js";
import { inBinaryMode, readData, type BinaryForm } from "./publish-data.js";
import { batchProblem, draftOf, eventProblem, eventRulesOf } from "./publish-draft.js";
import { readPublishForm, type PublishForm } from "./publish-form.js";
import { decodeText } from "./publish-json.js";
import { eventTextBytesMax, type PublishLimits } from "./publish-limits.js";
import { rightsProblem } from "./publish-rights.js";
import { jsonTexts, ndjsonTexts, stretchBytes, type EventTexts, type JsonShape } from "./publish-texts.js";
import { notUtf8, withoutByteOrderMark } from "./publish-utf8.js";

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
  /** Its wall clock dates events that have no timestamp. */
  readonly clock: Clock;
}

/** The drafts, at least one, in the order of the body; or what refuses the whole of it. */
export type PublishParse =
  | { readonly ok: true; readonly drafts: readonly EventDraft[] }
  | { readonly ok: false; readonly problem: Problem };

/** Bytes of a body read in one turn of the event loop, 1 to 3 ms of small events; one large event is never split. */
const bytesPerTurn = 131_072;
/** Bytes between two looks at that. */
const bytesPerLook = 4_096;

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
  const { limits, rights } = rules;
  const isNative = form === "json" || form === "ndjson";
  const parse = isNative ? parsePublishedEvent : parseCloudEvent;
  const names = isNative ? nativeFieldNames : cloudEventFieldNames;
  const eventRules = eventRulesOf(limits, rules.clock);
  const textBytesMax = eventTextBytesMax(limits);
  const packer = isNative ? new EventPacker(body, eventRules, textBytesMax) : undefined;
  const drafts: EventDraft[] = [];
  const turn = new TurnBudget(bytesPerTurn);
  let unspent = 0;
  for (const text of textsOf(form, body, textBytesMax, packer)) {
    unspent += text === undefined ? stretchBytes : text.end - text.start;
    if (unspent >= bytesPerLook) {
      await turn.spend(unspent);
      unspent = 0;
    }
    if (text === undefined) continue;
    const index = drafts.length;
    if (index === limits.publish_batch_events) return refuse(batchProblem(limits));
    let draft = packer?.pack(text.start, text.end);
    if (draft === undefined) {
      const decoded = decodeText(body, text, index, limits);
      if (!decoded.ok) return decoded;
      const parsed = parse(decoded.value, eventRules);
      if (!parsed.ok) return refuse(eventProblem(parsed, limits, index, text.line));
      draft = draftOf(parsed.event);
    }
    const forbidden = rightsProblem(rights, draft, names, index, text.line);
    if (forbidden !== undefined) return refuse(forbidden);
    drafts.push(draft);
  }
  return drafts.length === 0 ? refuse(noEvents) : { ok: true, drafts };
}

const jsonShapes: Readonly<Record<Exclude<TextForm, "ndjson">, JsonShape>> = {
  json: "either",
  "cloud-event": "value",
  "cloud-event-batch": "array",
};

function textsOf(form: TextForm, body: Buffer, bytesMax: number, packer: EventPacker | undefined): EventTexts {
  if (form === "ndjson") return ndjsonTexts(body);
  return jsonTexts(body, jsonShapes[form], bytesMax, packer && ((start) => packer.endOf(start)));
}

function parseBinary(form: BinaryForm, body: Buffer, rules: PublishRules): PublishParse {
  const { limits, rights } = rules;
  const data = readData(form.data, body, limits);
  if ("name" in data) return refuse(data);
  const parsed = parseCloudEvent({ ...form.attributes, ...data }, eventRulesOf(limits, rules.clock));
  if (!parsed.ok) return refuse(eventProblem(inBinaryMode(parsed), limits, 0));
  const forbidden = rightsProblem(rights, parsed.event, headerNames, 0);
  return forbidden === undefined ? { ok: true, drafts: [draftOf(parsed.event)] } : refuse(forbidden);
}

const headerNames: EventFieldNames = { ...cloudEventFieldNames, eventType: "ce-type", clusterId: "ce-clusterid" };

const noEvents: Problem = { name: "no-events", detail: "The body holds no event" };

function refuse(problem: Problem): PublishParse {
  return { ok: false, problem };
}
