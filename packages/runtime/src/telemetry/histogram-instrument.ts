// A distribution as plain numbers. One observation can stand for many: what many members of a lane are given is
// measured once.

/** A distribution that is counted elsewhere. */
export interface HistogramCounts {
  /** Upper bounds; those of the table. */
  readonly bounds: readonly number[];
  /** Observations per class, not cumulative; one more than bounds, the last for what is over all of them. */
  readonly counts: readonly number[];
  /** Sum of all observed values. */
  readonly sum: number;
}

/** One distribution. Either it is observed here, or it is read from where it is observed. */
export class HistogramInstrument implements HistogramCounts {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  #source: HistogramCounts = this;

  /** @param bounds ascending upper bounds, each included in its class. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** Takes `value` in, `times` times. */
  observe(value: number, times = 1): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? Infinity)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + times;
    this.sum += value * times;
  }

  /**
   * From now on the distribution is what `source` holds at each scrape.
   * @throws {Error} when its bounds aren't those of the table.
   */
  readFrom(source: HistogramCounts): void {
    const isSame = source.bounds.length === this.bounds.length && source.bounds.every((b, i) => b === this.bounds[i]);
    if (!isSame) throw new Error("a histogram is read from one with other bounds than its table says");
    this.#source = source;
  }

  /** The distribution now. */
  read(): HistogramCounts {
    return this.#source;
  }
}
