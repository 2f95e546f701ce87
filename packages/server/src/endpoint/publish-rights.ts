// Which field of an event goes beyond its publisher's rights (protocol.md §9).
import { patternMatches } from "@sluice/protocol";
import { mayPublish, type Rights } from "@sluice/runtime";

/**
 * The field to name when an event may not be published: the cluster where another cluster would do for this type, else
 * the type. Undefined = it may be published.
 */
export function forbiddenField(
  rights: Rights,
  eventType: string,
  clusterId: string | undefined,
): "eventType" | "clusterId" | undefined {
  if (mayPublish(rights, eventType, clusterId)) return undefined;
  const grants = [rights, ...(rights.alternatives ?? [])];
  const typeIsAllowed = grants.some(
    ({ publish, events }) =>
      publish && (events === null || events.some((pattern) => patternMatches(pattern, eventType))),
  );
  return typeIsAllowed ? "clusterId" : "eventType";
}
