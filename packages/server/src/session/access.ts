// From a command and the bearer's rights to the subscriptions it stands for.

import { maySubscribe, visibleClusters, type Rights } from "@sluice/runtime";
import { ClusterFilter } from "../routing/cluster-filter.js";
import type { Subscription } from "../routing/subscription-set.js";

export type AccessOutcome =
  | { readonly ok: true; readonly subscriptions: readonly Subscription[] }
  | { readonly ok: false; readonly pattern: string };

/**
 * What `patterns` in `clusters` (empty: all that the bearer may see) comes to, one subscription per pattern; or the
 * first pattern that is wider than the rights, and then none of them.
 */
export function grantSubscriptions(
  rights: Rights,
  patterns: readonly string[],
  clusters: readonly string[],
): AccessOutcome {
  const asked = clusters.length === 0 ? null : new ClusterFilter(clusters);
  const subscriptions: Subscription[] = [];
  for (const pattern of patterns) {
    if (!maySubscribe(rights, pattern, clusters)) return { ok: false, pattern };
    subscriptions.push({ pattern, clusters: asked ?? visible(rights, pattern) });
  }
  return { ok: true, subscriptions };
}

function visible(rights: Rights, pattern: string): ClusterFilter | null {
  const clusters = visibleClusters(rights, pattern);
  return clusters === null ? null : new ClusterFilter(clusters);
}
