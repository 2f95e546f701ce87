// What a session has asked for, as it was asked: "all the clusters I may see" stays that when the rights change.

import type { Rights } from "@sluice/runtime";
import { ClusterFilter } from "../routing/cluster-filter.js";
import type { Subscription } from "../routing/subscription-set.js";
import { grantSubscriptions } from "./access.js";

/** Part of what was subscribed to that new rights no longer allow. */
export interface Loss {
  readonly pattern: string;
  /** The clusters that are lost; empty when the whole subscription is. */
  readonly clusters: readonly string[];
}

/** What new rights make of the interests. */
export interface Review {
  readonly subscriptions: readonly Subscription[];
  readonly losses: readonly Loss[];
}

/** Requested clusters by pattern; an empty list is all that the bearer may see. */
export class Interests {
  readonly #clusters = new Map<string, readonly string[]>();

  set(patterns: readonly string[], clusters: readonly string[]): void {
    for (const pattern of patterns) this.#clusters.set(pattern, clusters);
  }

  delete(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#clusters.delete(pattern);
  }

  /** Holds every interest against `rights`, and forgets what they don't allow. */
  review(rights: Rights): Review {
    const subscriptions: Subscription[] = [];
    const losses: Loss[] = [];
    for (const [pattern, clusters] of this.#clusters) {
      const whole = grantSubscriptions(rights, [pattern], clusters);
      if (whole.ok) {
        subscriptions.push(...whole.subscriptions);
        continue;
      }
      const kept = clusters.filter((cluster) => grantSubscriptions(rights, [pattern], [cluster]).ok);
      if (kept.length > 0) {
        this.#clusters.set(pattern, kept);
        subscriptions.push({ pattern, clusters: new ClusterFilter(kept) });
        losses.push({ pattern, clusters: clusters.filter((cluster) => !kept.includes(cluster)) });
      } else {
        this.#clusters.delete(pattern);
        losses.push({ pattern, clusters: [] });
      }
    }
    return { subscriptions, losses };
  }
}
