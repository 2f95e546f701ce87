// What is still wanted of events that wait while a client changes its mind: what all of its sets since then match.

import type { EventMatch } from "../log/event-log.js";
import type { SubscriptionSet } from "../routing/subscription-set.js";

/** Matches what every one of some sets of subscriptions matches. A client that goes to and fro adds each set once. */
export class Narrowing implements EventMatch {
  readonly #sets: readonly SubscriptionSet[];

  private constructor(sets: readonly SubscriptionSet[]) {
    this.#sets = sets;
  }

  /** What `narrowing` and `set` both match; null is everything. */
  static of(narrowing: Narrowing | null, set: SubscriptionSet): Narrowing {
    const sets = narrowing === null ? [] : narrowing.#sets;
    if (narrowing !== null && sets.some(({ key }) => key === set.key)) return narrowing;
    return new Narrowing([...sets, set]);
  }

  /** How many sets it keeps. */
  get size(): number {
    return this.#sets.length;
  }

  matches(eventType: string, clusterId: string | undefined): boolean {
    return this.#sets.every((set) => set.matches(eventType, clusterId));
  }
}
