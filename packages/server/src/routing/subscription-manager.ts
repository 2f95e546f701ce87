// Who wants what: the set of subscriptions of each connection, the limits on it, and the lane that it rides in.

import type { Encoding } from "./encoding.js";
import { InterestIndex } from "./interest-index.js";
import { Lane, type LaneMember } from "./lane.js";
import type { Subscription, SubscriptionSet } from "./subscription-set.js";

/**
 * Most index entries of one connection: a subscription takes one, or one for each of its clusters. Keeps a client
 * from making the index large, or slow to change, with 100 patterns of 1,000 clusters each.
 */
export const indexEntriesPerConnectionMax = 10_000;

/** What became of a `subscribe`. */
export type SubscribeOutcome =
  | { readonly kind: "subscribed"; readonly set: SubscriptionSet }
  | { readonly kind: "limit"; readonly limit: "subscriptions" | "entries"; readonly max: number };

export interface SubscriptionManagerOptions {
  /** `subscriptions.max_per_connection`. */
  readonly maxPerConnection: number;
}

/** Keeps lanes and the index of them; members are whatever rides in a lane. */
export class SubscriptionManager<M extends LaneMember> {
  readonly #maxPerConnection: number;
  readonly #index = new InterestIndex<Lane<M>>();
  readonly #lanes = new Map<string, Lane<M>>();
  readonly #counts = new Map<string, number>();

  constructor(options: SubscriptionManagerOptions) {
    this.#maxPerConnection = options.maxPerConnection;
  }

  get lanes(): ReadonlyMap<string, Lane<M>> {
    return this.#lanes;
  }

  /** How many connections are subscribed to each name or pattern. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** The set that a subscribe would lead to. Patterns already held are replaced and cost nothing against the limit. */
  plan(held: SubscriptionSet, subscriptions: readonly Subscription[]): SubscribeOutcome {
    const set = held.with(subscriptions);
    if (set.size > this.#maxPerConnection) {
      return { kind: "limit", limit: "subscriptions", max: this.#maxPerConnection };
    }
    if (set.entries > indexEntriesPerConnectionMax) {
      return { kind: "limit", limit: "entries", max: indexEntriesPerConnectionMax };
    }
    return { kind: "subscribed", set };
  }

  /** Counts the change from one set of a connection to its next. */
  count(before: SubscriptionSet, after: SubscriptionSet): void {
    for (const { pattern } of before) if (after.get(pattern) === undefined) this.#add(pattern, -1);
    for (const { pattern } of after) if (before.get(pattern) === undefined) this.#add(pattern, 1);
  }

  #add(pattern: string, change: 1 | -1): void {
    const count = (this.#counts.get(pattern) ?? 0) + change;
    if (count === 0) this.#counts.delete(pattern);
    else this.#counts.set(pattern, count);
  }

  /** The lane for a set, made and indexed when it is the first of its kind; none for the empty set. */
  laneFor(set: SubscriptionSet, encoding: Encoding): Lane<M> | undefined {
    if (set.size === 0) return undefined;
    const key = `${encoding.slot}:${set.key}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane<M>(set, encoding);
      this.#lanes.set(key, lane);
      this.#index.add(set, lane);
    }
    return lane;
  }

  /** Forgets a lane that its last member has left. */
  release(lane: Lane<M>): void {
    const key = `${lane.encoding.slot}:${lane.set.key}`;
    if (!lane.isEmpty || this.#lanes.get(key) !== lane) return;
    this.#lanes.delete(key);
    this.#index.delete(lane.set, lane);
  }

  /** Visits the lanes that want an event; a lane may be visited more than once. */
  forEachLane(eventType: string, clusterId: string | undefined, visit: (lane: Lane<M>) => void): void {
    this.#index.forEachMatch(eventType, clusterId, visit);
  }
}
