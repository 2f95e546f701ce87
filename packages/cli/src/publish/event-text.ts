// A line of NDJSON as the event that is sent: checked as the service will check it, and with an id of its own.
import { isRecord, parsePublishedEvent } from "@sluice/protocol";
import { visibleText } from "../terminal/visible-text.js";

/** The JSON to send, or what is wrong with it; `problem` completes a sentence that begins with the field or the line. */
export type EventText =
  | { readonly ok: true; readonly json: string }
  | { readonly ok: false; readonly field: string | undefined; readonly problem: string };

const syntaxLengthMax = 120;

/**
 * Checks an event and gives it an `event_id` where it has none, so that sending it again stores nothing twice. The text
 * is otherwise sent as it stands. The size of payloads is left to the service, whose limit we don't know.
 */
export function readEventText(text: string): EventText {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const what = visibleText(error instanceof Error ? error.message : String(error)).slice(0, syntaxLengthMax);
    return { ok: false, field: undefined, problem: `is not JSON: ${what}` };
  }
  const rules = { payloadBytesMax: Number.POSITIVE_INFINITY, receivedAt: new Date(0).toISOString() };
  const parsed = parsePublishedEvent(value, rules);
  if (!parsed.ok) return { ok: false, field: parsed.field, problem: parsed.problem };
  if (!isRecord(value)) return { ok: false, field: undefined, problem: "must be a JSON object" };
  if (typeof value["event_id"] === "string") return { ok: true, json: text };
  const { eventId } = parsed.event;
  if ("event_id" in value) return { ok: true, json: JSON.stringify({ ...value, event_id: eventId }) };
  return { ok: true, json: `{"event_id":"${eventId}",${text.slice(text.indexOf("{") + 1)}` };
}
