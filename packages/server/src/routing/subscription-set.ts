// All that one connection is subscribed to, as a value: equal sets have equal keys, which is how lanes are shared.

import { createHash } from "node:crypto";
import { patternMatches } from "@sluice/protocol";
import type { EventMatch } from "../log/event-log.js";
import type { ClusterFilter } from "./cluster-filter.js";

/** One interest: an event name or pattern, and the clusters it is wanted from (null: all, and events without one). */
export interface Subscription {
  readonly pattern: string;
  readonly clusters: ClusterFilter | null;
}

/** An immutable set of subscriptions, one per pattern. */
export class SubscriptionSet implements EventMatch {
  static readonly empty = new SubscriptionSet(new Map());

  /** Digest of the content; equal for equal sets whatever order they were made in. */
  readonly key: string;
  /** Entries the set takes in the index: one per pattern and cluster. */
  readonly entries: number;
  readonly #byPattern: ReadonlyMap<string, Subscription>;
  readonly #wildcards: readonly Subscription[];

  private constructor(byPattern: ReadonlyMap<string, Subscription>) {
    this.#byPattern = byPattern;
    const all = [...byPattern.values()];
    this.#wildcards = all.filter((subscription) => subscription.pattern.endsWith("*"));
    this.entries = all.reduce((sum, { clusters }) => sum + Math.max(1, clusters?.patterns.length ?? 1), 0);
    this.key = digest(all);
  }

  /** How many subscriptions it holds; what the limit per connection counts. */
  get size(): number {
    return this.#byPattern.size;
  }

  [Symbol.iterator](): IterableIterator<Subscription> {
    return this.#byPattern.values();
  }

  get(pattern: string): Subscription | undefined {
    return this.#byPattern.get(pattern);
  }

  /** This set with the subscriptions, each replacing what its pattern had. */
  with(subscriptions: Iterable<Subscription>): SubscriptionSet {
    const next = new Map(this.#byPattern);
    for (const subscription of subscriptions) next.set(subscription.pattern, subscription);
    return new SubscriptionSet(next);
  }

  /** This set without the patterns; those it doesn't hold are ignored. */
  without(patterns: readonly string[]): SubscriptionSet {
    const next = new Map(this.#byPattern);
    for (const pattern of patterns) next.delete(pattern);
    return next.size === 0 ? SubscriptionSet.empty : new SubscriptionSet(next);
  }

  get only(): EventMatch["only"] {
    const [subscription, ...more] = this.#byPattern.values();
    if (subscription === undefined || more.length > 0) return undefined;
    const { pattern, clusters } = subscription;
    const eventType = pattern.endsWith("*") ? undefined : pattern;
    const [cluster, ...moreClusters] = clusters?.patterns ?? [];
    const clusterId = cluster === undefined || moreClusters.length > 0 || cluster.endsWith("*") ? undefined : cluster;
    if (eventType === undefined && clusterId === undefined) return undefined;
    return { ...(eventType === undefined ? {} : { eventType }), ...(clusterId === undefined ? {} : { clusterId }) };
  }

  matches(eventType: string, clusterId: string | undefined): boolean {
    const exact = this.#byPattern.get(eventType);
    if (exact !== undefined && wants(exact, clusterId)) return true;
    return this.#wildcards.some(
      (subscription) => patternMatches(subscription.pattern, eventType) && wants(subscription, clusterId),
    );
  }
}

function wants(subscription: Subscription, clusterId: string | undefined): boolean {
  return subscription.clusters === null || subscription.clusters.has(clusterId);
}

function digest(subscriptions: readonly Subscription[]): string {
  const hash = createHash("sha256");
  const sorted = subscriptions.toSorted((a, b) => (a.pattern < b.pattern ? -1 : 1));
  // Neither separator can occur in a name or pattern.
  for (const { pattern, clusters } of sorted) hash.update(`${pattern}=${clusters?.patterns.join(",") ?? "/"};`);
  return hash.digest("base64url");
}
