// What a bearer may do (protocol §9), and the questions that are asked about it. Pure; knows no token.
import { patternCovers, patternMatches } from "@sluice/protocol";

/** One thing allowed: these events in these clusters. */
export interface Grant {
  /** Names or trailing-`*` patterns; null = all, empty = none. */
  readonly events: readonly string[] | null;
  /**
   * Names or trailing-`*` patterns; null (or a list with `*`) = all, and events without a `cluster_id` too. Any other
   * list leaves events without a `cluster_id` out; empty = none.
   */
  readonly clusters: readonly string[] | null;
  /** Whether these events may be published as well as read. */
  readonly publish: boolean;
}

/** Everything that a bearer may do. What any one of its grants allows is allowed, and nothing else. */
export interface Rights extends Grant {
  /** Scope `admin`: connections, subscriptions, revocation. Says nothing about events. */
  readonly admin: boolean;
  /**
   * Further grants, from a mapping with several matching entries. They stay apart: `GPU_*` in c-1 and `ALERT_*` in c-2
   * don't make `GPU_*` in c-2.
   */
  readonly alternatives?: readonly Grant[];
}

/** All rights there are. */
export const allRights: Rights = { events: null, clusters: null, publish: true, admin: true };

/** Whether one subscription to `pattern` in `clusters` (null or empty = all that the bearer may see) is within `rights`. */
export function maySubscribe(rights: Rights, pattern: string, clusters: readonly string[] | null): boolean {
  const covering = grantsOf(rights).filter((grant) => covers(grant.events, pattern));
  if (clusters === null || clusters.length === 0) return covering.some((grant) => grant.clusters?.length !== 0);
  return clusters.every((cluster) => covering.some((grant) => covers(grant.clusters, cluster)));
}

/**
 * The clusters that a subscription to `pattern` without `clusters` stands for: names and patterns, or null = all, and
 * events without a `cluster_id` too. Empty when the pattern is not allowed at all.
 */
export function visibleClusters(rights: Rights, pattern: string): readonly string[] | null {
  const visible = new Set<string>();
  for (const grant of grantsOf(rights)) {
    if (!covers(grant.events, pattern)) continue;
    const clusters = clustersOf(grant);
    if (clusters === null) return null;
    for (const cluster of clusters) visible.add(cluster);
  }
  return [...visible];
}

/** Whether one event may be delivered to the bearer; `clusterId` undefined = the event has none. */
export function mayReceive(rights: Rights, eventType: string, clusterId: string | undefined): boolean {
  return grantsOf(rights).some((grant) => allows(grant, eventType, clusterId));
}

/** Whether the bearer may publish one event; `clusterId` undefined = the event has none. */
export function mayPublish(rights: Rights, eventType: string, clusterId: string | undefined): boolean {
  return grantsOf(rights).some((grant) => grant.publish && allows(grant, eventType, clusterId));
}

/** Whether the bearer may publish anything at all: for refusing a publish before its body is read. */
export function mayPublishAnything(rights: Rights): boolean {
  return grantsOf(rights).some((grant) => grant.publish);
}

function grantsOf(rights: Rights): readonly Grant[] {
  return rights.alternatives === undefined ? [rights] : [rights, ...rights.alternatives];
}

function allows(grant: Grant, eventType: string, clusterId: string | undefined): boolean {
  if (grant.events !== null && !grant.events.some((pattern) => patternMatches(pattern, eventType))) return false;
  const clusters = clustersOf(grant);
  if (clusters === null) return true;
  return clusterId !== undefined && clusters.some((pattern) => patternMatches(pattern, clusterId));
}

function covers(wide: readonly string[] | null, narrow: string): boolean {
  return wide === null || wide.some((pattern) => patternCovers(pattern, narrow));
}

/** `*` in the list is the same as no list. */
function clustersOf(grant: Grant): readonly string[] | null {
  return grant.clusters?.includes("*") ? null : grant.clusters;
}
