// From a checked event to what the log takes, and from a refused one to the problem that names it.
import { hash } from "node:crypto";
import { encodeEventFields, type EventRefusal, type EventRules, type PublishedEvent } from "@sluice/protocol";
import type { Clock, Problem } from "@sluice/runtime";
import { PackedEvent } from "../log/packed-event.js";
import type { PublishLimits } from "./publish-limits.js";

/** The newest millisecond that was asked for as a text, which is the same for all who publish in it. */
let textMs = 0;
let text = new Date(textMs).toISOString();

/** What the events of a publish that arrives now are checked by. */
export function eventRulesOf(limits: PublishLimits, clock: Clock): EventRules {
  const nowMs = Math.trunc(clock.wall());
  if (nowMs !== textMs) {
    textMs = nowMs;
    text = new Date(nowMs).toISOString();
  }
  return { payloadBytesMax: limits.payload_bytes, receivedAt: text };
}

/** The draft of an event; here it is encoded, once and for all. */
export function draftOf(event: PublishedEvent): PackedEvent {
  return PackedEvent.ofText(
    identityOf(event.eventId, event.source),
    event.eventType,
    event.clusterId,
    encodeEventFields(event),
  );
}

/**
 * What an event is known again by. Ids are unique for their source only (CloudEvents 1.0, `id`): two sources that both
 * count from 1 must not lose each other's events. A digest, so that a long source costs no more memory than an id.
 */
export function identityOf(eventId: string, source: string | undefined): string {
  // Neither can hold a line feed.
  return source === undefined ? eventId : hash("sha256", `${source}\n${eventId}`, "base64url");
}

/** The problem of the event at `index` (and `line`) that did not pass its checks. */
export function eventProblem(refused: EventRefusal, limits: PublishLimits, index: number, line?: number): Problem {
  const { reason, field, problem } = refused;
  const detail = `${placeOf(index, line)}: ${field ?? "it"} ${problem}`;
  if (reason === "invalid-event") return { name: reason, detail, index, line, field };
  return { name: reason, detail, index, line, field, allowed: limits.payload_bytes };
}

/** The problem of more events than one publish may hold. */
export function batchProblem(limits: PublishLimits): Problem {
  const allowed = limits.publish_batch_events;
  return { name: "batch-too-large", detail: `A publish may hold ${allowed} events at most`, allowed };
}

/** `Event 3`, or `Event 3 (line 5)`. */
export function placeOf(index: number, line?: number): string {
  return line === undefined ? `Event ${index}` : `Event ${index} (line ${line})`;
}
