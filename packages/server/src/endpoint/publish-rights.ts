// Which field of an event goes beyond its publisher's rights (protocol.md §9).
import { patternMatches, type EventFieldNames } from "@sluice/protocol";
import { mayPublish, type Problem, type Rights } from "@sluice/runtime";
import type { EventDraft } from "../log/event-log.js";
import { placeOf } from "./publish-draft.js";

/**
 * The problem of an event that may not be published; undefined = it may. `names` are those of the form that it came in.
 * It names the cluster where another cluster would do for this type, else the type.
 */
export function rightsProblem(
  rights: Rights,
  { eventType, clusterId }: Pick<EventDraft, "eventType" | "clusterId">,
  names: EventFieldNames,
  index: number,
  line?: number,
): Problem | undefined {
  if (mayPublish(rights, eventType, clusterId)) return undefined;
  const field = mayPublishSomewhere(rights, eventType) ? names.clusterId : names.eventType;
  const detail = `${placeOf(index, line)}: ${field} is not among what the token may publish`;
  return { name: "forbidden", detail, index, line, field };
}

function mayPublishSomewhere(rights: Rights, eventType: string): boolean {
  return [rights, ...(rights.alternatives ?? [])].some(
    ({ publish, events }) =>
      publish && (events === null || events.some((pattern) => patternMatches(pattern, eventType))),
  );
}
