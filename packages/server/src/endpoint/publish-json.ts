// Decodes the text of one event, unless it is longer, deeper or fuller than any event within the limits.
import type { Problem } from "@sluice/runtime";
import { placeOf } from "./publish-draft.js";
import { eventBytesMax, eventTextBytesMax, type PublishLimits } from "./publish-limits.js";
import { costOf, textDepthMax } from "./publish-shape.js";
import type { EventText } from "./publish-texts.js";

/** The value of a text, or why there is none. */
export type DecodedText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: Problem };

/** Decodes the event at `index`, whose bytes are UTF-8. */
export function decodeText(body: Buffer, text: EventText, index: number, limits: PublishLimits): DecodedText {
  const { start, end, line } = text;
  const problem = lengthProblem(end - start, index, limits, line) ?? costProblem(body, text, index, limits);
  if (problem !== undefined) return { ok: false, problem };
  try {
    return { ok: true, value: JSON.parse(body.toString("utf8", start, end)) as unknown };
  } catch {
    const detail = `${placeOf(index, line)} is not JSON`;
    return { ok: false, problem: { name: "malformed-body", detail, index, line } };
  }
}

/** The problem of a text of `bytes` that is longer than any event needs; undefined = it is not. */
export function lengthProblem(bytes: number, index: number, limits: PublishLimits, line?: number): Problem | undefined {
  const allowed = eventTextBytesMax(limits);
  if (bytes <= allowed) return undefined;
  const detail = `${placeOf(index, line)} is longer than ${allowed} bytes`;
  return { name: "event-too-large", detail, index, line, allowed };
}

function costProblem(body: Buffer, text: EventText, index: number, limits: PublishLimits): Problem | undefined {
  const { line } = text;
  const allowed = eventBytesMax(limits);
  const cost = costOf(body, text, allowed);
  if (cost === undefined) return undefined;
  const place = placeOf(index, line);
  if (cost === "depth") {
    const detail = `${place}: it must not be nested more than ${textDepthMax} levels deep`;
    return { name: "invalid-event", detail, index, line };
  }
  return { name: "event-too-large", detail: `${place} holds more than ${allowed} bytes`, index, line, allowed };
}
