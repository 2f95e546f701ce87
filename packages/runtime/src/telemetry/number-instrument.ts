// A counter or gauge without labels, as a plain number: a count costs one addition, and is read when metrics are scraped.

/** One number. Either it is counted here, or it is read from where it is counted. */
export class NumberInstrument {
  /** Add to it, or set it when it is a gauge. A counter's only ever grows. */
  value = 0;
  #source: (() => number) | undefined;

  /** From now on the number is `source()`, called once a scrape; must be cheap and must not throw. */
  readFrom(source: () => number): void {
    this.#source = source;
  }

  /** The number now. */
  read(): number {
    return this.#source === undefined ? this.value : this.#source();
  }
}
