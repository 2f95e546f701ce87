// A counter with one label of known values, each a plain number. A hot path keeps the number of its label and adds to it.

/** Where unknown values of a label are counted, in the tables that have it. */
export const otherLabel = "other";

/** One count of a labelled counter. */
export interface LabelledCount {
  value: number;
}

/** Counts by label value. Either they are counted here, or they are read from where they are counted. */
export class LabelledInstrument<Value extends string = string> {
  /** The counts; all of them are exposed from the start, as 0. */
  readonly by: Readonly<Record<Value, LabelledCount>>;
  readonly #counts: ReadonlyMap<string, LabelledCount>;
  #source: (() => Iterable<readonly [string, number]>) | undefined;

  constructor(values: readonly Value[]) {
    const counts = values.map((value) => [value, { value: 0 }] as const);
    this.#counts = new Map(counts);
    this.by = Object.fromEntries(counts) as Record<Value, LabelledCount>;
  }

  /**
   * Counts under a label that is only known as text, such as a close code that a peer chose.
   * @throws {Error} for a value that the table doesn't have, when it doesn't have `other` either.
   */
  count(label: string, amount = 1): void {
    this.#countOf(label).value += amount;
  }

  /** From now on the counts are those of `source()`, called once a scrape; labels it leaves out are 0. Must not throw. */
  readFrom(source: () => Iterable<readonly [string, number]>): void {
    this.#source = source;
  }

  /** The counts now, by label. */
  read(): ReadonlyMap<string, number> {
    if (this.#source !== undefined) {
      for (const count of this.#counts.values()) count.value = 0;
      for (const [label, amount] of this.#source()) this.count(label, amount);
    }
    return new Map([...this.#counts].map(([label, { value }]) => [label, value]));
  }

  #countOf(label: string): LabelledCount {
    const count = this.#counts.get(label) ?? this.#counts.get(otherLabel);
    if (count === undefined) throw new Error(`a metric was counted under a label that its table lacks`);
    return count;
  }
}
