// What a query asks for (protocol §8): events and clusters as comma-separated lists, and from where on.

import { clustersPerCommandMax, isName, isPattern, nameGrammar, patternsPerCommandMax } from "@sluice/protocol";
import type { Problem, Rights } from "@sluice/runtime";
import type { EventMatch } from "../log/event-log.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { grantSubscriptions } from "../session/access.js";

/** Event patterns and clusters, each once; no clusters are all that the bearer may see. */
export interface Interest {
  readonly events: readonly string[];
  readonly clusters: readonly string[];
}

function invalid(field: string, detail: string): Problem {
  return { name: "invalid-parameter", field, detail };
}

function readList(query: URLSearchParams, field: string): string[] {
  const items = query.getAll(field).flatMap((value) => value.split(","));
  return [...new Set(items.map((item) => item.trim()).filter((item) => item !== ""))];
}

/** The interest of a query; without `events` it is everything. */
export function readInterest(query: URLSearchParams): Interest | Problem {
  const events = readList(query, "events");
  const clusters = readList(query, "clusters");
  if (events.length > patternsPerCommandMax)
    return invalid("events", `events takes at most ${patternsPerCommandMax} names`);
  if (clusters.length > clustersPerCommandMax) {
    return invalid("clusters", `clusters takes at most ${clustersPerCommandMax} names`);
  }
  if (!events.every(isPattern)) {
    return invalid("events", `events takes names (${nameGrammar}), names with a trailing *, or *, separated by commas`);
  }
  if (!clusters.every(isName)) return invalid("clusters", `clusters takes names (${nameGrammar}), separated by commas`);
  return { events: events.length === 0 ? ["*"] : events, clusters };
}

/** An integer from 0 to 2^53 − 1; undefined when the query has none. */
export function readSeq(query: URLSearchParams, field: string): number | undefined | Problem {
  const text = query.get(field);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  return invalid(field, `${field} must be an integer from 0 to 2^53 - 1`);
}

/** The match for an interest, or why the bearer may not have it. */
export function matchWithin(rights: Rights, { events, clusters }: Interest): EventMatch | Problem {
  const access = grantSubscriptions(rights, events, clusters);
  if (access.ok) return SubscriptionSet.empty.with(access.subscriptions);
  const detail = `The token does not allow ${access.pattern} in the clusters asked for`;
  return { name: "forbidden", detail, field: "events" };
}

export function isProblem(value: object): value is Problem {
  return "name" in value && "detail" in value;
}
