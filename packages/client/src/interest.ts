// What is asked of the server on behalf of all subscriptions. A pattern is one subscription on the wire, and asking for
// it again replaces its clusters (protocol.md §3), so every command carries what all of ours want of it together.
import { patternMatches } from "@sluice/protocol";

/** What one subscription wants. */
export interface Interest {
  /** Names, or patterns with a trailing `*`. */
  readonly events: readonly string[];
  /** Empty: every cluster that the token may see. */
  readonly clusters: readonly string[];
}

/** What the server is to send: clusters by pattern, sorted; empty = all. */
export type WireInterest = ReadonlyMap<string, readonly string[]>;

/** How to get the server from one interest to another. */
export interface InterestChange {
  /** One command each; patterns with the same clusters together. */
  readonly subscribe: readonly Interest[];
  readonly unsubscribe: readonly string[];
}

/** Most patterns in one command (protocol.md §3). */
const patternsMax = 100;

/** Whether an event is one of those wanted. */
export function wants(
  { events, clusters }: Interest,
  event: { readonly event_type: string; readonly cluster_id?: string },
): boolean {
  if (!events.some((pattern) => patternMatches(pattern, event.event_type))) return false;
  return clusters.length === 0 || (event.cluster_id !== undefined && clusters.includes(event.cluster_id));
}

/** What all of `interests` want together. */
export function mergeInterests(interests: Iterable<Interest>): WireInterest {
  const merged = new Map<string, readonly string[]>();
  for (const { events, clusters } of interests) {
    for (const pattern of events) {
      const before = merged.get(pattern);
      const isAll = clusters.length === 0 || before?.length === 0;
      merged.set(pattern, isAll ? [] : [...new Set([...(before ?? []), ...clusters])].sort());
    }
  }
  return merged;
}

/** The commands that lead from `now` to `wanted`; none where they are the same. */
export function changeInterest(now: WireInterest, wanted: WireInterest): InterestChange {
  const groups = new Map<string, Interest & { events: string[] }>();
  const subscribe: Interest[] = [];
  for (const [pattern, clusters] of wanted) {
    const key = clusters.join();
    if (now.get(pattern)?.join() === key) continue;
    let group = groups.get(key);
    if (group === undefined || group.events.length === patternsMax) {
      group = { events: [], clusters };
      groups.set(key, group);
      subscribe.push(group);
    }
    group.events.push(pattern);
  }
  return { subscribe, unsubscribe: [...now.keys()].filter((pattern) => !wanted.has(pattern)) };
}
