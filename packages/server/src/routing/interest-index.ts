// From an event's type and cluster to those who want it, without looking at the others: the cost of an event grows
// with the interests that match it, not with the number of connections.

import type { SubscriptionSet } from "./subscription-set.js";

/** Values under names and under prefixes; a look-up yields those whose name equals or whose prefix begins a text. */
class PrefixMap<V> {
  readonly exact = new Map<string, V>();
  readonly prefixed = new Map<string, V>();
  /** The prefixes' lengths, so that a look-up only tries those that exist. */
  lengths: readonly number[] = [];
  /** How many prefixes have each length. */
  readonly #lengthCounts = new Map<number, number>();

  getOrAdd(pattern: string, make: () => V): V {
    const isPrefix = pattern.endsWith("*");
    const map = isPrefix ? this.prefixed : this.exact;
    const key = isPrefix ? pattern.slice(0, -1) : pattern;
    let value = map.get(key);
    if (value === undefined) {
      value = make();
      map.set(key, value);
      if (isPrefix) this.#countLength(key.length, 1);
    }
    return value;
  }

  get(pattern: string): V | undefined {
    return pattern.endsWith("*") ? this.prefixed.get(pattern.slice(0, -1)) : this.exact.get(pattern);
  }

  delete(pattern: string): void {
    if (!pattern.endsWith("*")) {
      this.exact.delete(pattern);
      return;
    }
    const prefix = pattern.slice(0, -1);
    if (this.prefixed.delete(prefix)) this.#countLength(prefix.length, -1);
  }

  #countLength(length: number, change: 1 | -1): void {
    const count = (this.#lengthCounts.get(length) ?? 0) + change;
    if (count === 0) this.#lengthCounts.delete(length);
    else this.#lengthCounts.set(length, count);
    if (this.lengths.length !== this.#lengthCounts.size) this.lengths = [...this.#lengthCounts.keys()];
  }

  /** What stands under the first `length` characters of a text. */
  atPrefix(text: string, length: number): V | undefined {
    return length > text.length ? undefined : this.prefixed.get(text.slice(0, length));
  }

  get isEmpty(): boolean {
    return this.exact.size === 0 && this.prefixed.size === 0;
  }
}

/** Those interested in one event pattern, by cluster. */
class Interest<T> {
  readonly all = new Set<T>();
  readonly byCluster = new PrefixMap<Set<T>>();

  get isEmpty(): boolean {
    return this.all.size === 0 && this.byCluster.isEmpty;
  }

  forEachIn(clusterId: string | undefined, visit: (target: T) => void): void {
    if (this.all.size > 0) this.all.forEach(visit);
    if (clusterId === undefined) return;
    this.byCluster.exact.get(clusterId)?.forEach(visit);
    for (const length of this.byCluster.lengths) this.byCluster.atPrefix(clusterId, length)?.forEach(visit);
  }
}

/** The index of subscription sets by event name, prefix pattern and cluster. */
export class InterestIndex<T> {
  readonly #interests = new PrefixMap<Interest<T>>();

  add(set: SubscriptionSet, target: T): void {
    for (const { pattern, clusters } of set) {
      const interest = this.#interests.getOrAdd(pattern, () => new Interest<T>());
      if (clusters === null) interest.all.add(target);
      else for (const cluster of clusters.patterns) interest.byCluster.getOrAdd(cluster, () => new Set()).add(target);
    }
  }

  /** Takes out what `add` put in for the same set and target. */
  delete(set: SubscriptionSet, target: T): void {
    for (const { pattern, clusters } of set) {
      const interest = this.#interests.get(pattern);
      if (interest === undefined) continue;
      if (clusters === null) interest.all.delete(target);
      else for (const cluster of clusters.patterns) this.#deleteFromCluster(interest, cluster, target);
      if (interest.isEmpty) this.#interests.delete(pattern);
    }
  }

  #deleteFromCluster(interest: Interest<T>, cluster: string, target: T): void {
    const targets = interest.byCluster.get(cluster);
    targets?.delete(target);
    if (targets?.size === 0) interest.byCluster.delete(cluster);
  }

  /** Visits every target that wants the event; one with several matching subscriptions is visited several times. */
  forEachMatch(eventType: string, clusterId: string | undefined, visit: (target: T) => void): void {
    this.#interests.exact.get(eventType)?.forEachIn(clusterId, visit);
    for (const length of this.#interests.lengths) {
      this.#interests.atPrefix(eventType, length)?.forEachIn(clusterId, visit);
    }
  }
}
