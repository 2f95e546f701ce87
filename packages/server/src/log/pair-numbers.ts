// Numbers for pairs of event type and cluster, of which there are few among many records.

/** An event type and a cluster that occur together. */
export interface Pair {
  readonly eventType: string;
  readonly clusterId: string | undefined;
}

/** Numbers pairs from 0 on as they come. */
export class PairNumbers {
  /** The pairs by their numbers. */
  readonly all: Pair[] = [];
  readonly #byType = new Map<string, Map<string | undefined, number>>();
  #last: Pair | undefined;
  #lastNumber = 0;

  /** The number of a pair: its own where it came before, else the next. */
  numberOf(eventType: string, clusterId: string | undefined): number {
    if (this.#last?.eventType === eventType && this.#last.clusterId === clusterId) return this.#lastNumber;
    let byCluster = this.#byType.get(eventType);
    if (byCluster === undefined) {
      byCluster = new Map<string | undefined, number>();
      this.#byType.set(eventType, byCluster);
    }
    let number = byCluster.get(clusterId);
    if (number === undefined) {
      number = this.all.length;
      byCluster.set(clusterId, number);
      this.all.push({ eventType, clusterId });
    }
    this.#last = this.all[number];
    this.#lastNumber = number;
    return number;
  }
}
