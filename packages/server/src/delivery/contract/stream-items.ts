// What the stream of one consumer still has to hold, item by item, and how far what was written has come in it.

/** One event that the stream must hold in this place, or a gap that stands for it. */
export interface Item {
  readonly seq: number;
  /** How many changes of subscriptions came before it. */
  readonly version: number;
  /** Set for what a `since` asked for: which of them. */
  readonly replay: number | undefined;
  /** Nothing may be skipped of it while the log has it. */
  readonly isLossless: boolean;
  /** A later change took it out before it was written. */
  isExcused: boolean;
  /** A reply to a later change was written before it. */
  isOvertaken: boolean;
}

/** What of one stretch lies in a gap, and the place behind it. */
export interface Stretch {
  readonly covered: readonly Item[];
  readonly next: number;
}

/** A way to understand what was written: the place after it, and what would be wrong with it. */
export interface Reading {
  readonly next: number;
  readonly problems: readonly string[];
}

/** The items in the order in which they must come, those that were written among them. */
export class StreamItems {
  readonly #items: Item[] = [];
  /**
   * Indices of the item that comes next. More than one where a gap of unknown size may have stood for several stretches
   * of the stream; what is written next says which of them it was.
   */
  #places: readonly number[] = [0];

  get length(): number {
    return this.#items.length;
  }

  /** Items that perhaps were not written yet. */
  get unwritten(): readonly Item[] {
    return this.#items.slice(Math.min(...this.#places));
  }

  /** Items that certainly were not written yet. */
  get coming(): readonly Item[] {
    return this.#items.slice(Math.max(...this.#places));
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** What must still be written if the stream has come to `place`. */
  owedFrom(place: number): Item[] {
    return this.#items.slice(place).filter((item) => !item.isExcused);
  }

  /** Goes on from every place from which what was written is right; what is wrong where there is none. */
  advance(read: (place: number) => readonly Reading[]): readonly string[] {
    const readings = this.#places.flatMap((place) => read(place));
    const right = readings.filter(({ problems }) => problems.length === 0);
    const kept = right.length > 0 ? right : readings.slice(0, 1);
    this.#places = [...new Set(kept.map(({ next }) => next))];
    return kept[0]?.problems ?? [];
  }

  /** Event `seq` at `place`, when the reply to change number `acknowledged` is the newest that was written. */
  readEvent(seq: number, place: number, acknowledged: number): Reading {
    const index = this.#items.findIndex((item, at) => at >= place && item.seq === seq && !item.isExcused);
    const item = this.#items[index];
    if (item === undefined) {
      return { next: place, problems: [`event ${seq} is not subscribed to, or was sent before, or is out of order`] };
    }
    const problems = this.#items
      .slice(place, index)
      .filter((missing) => !missing.isExcused)
      .map((missing) => `event ${missing.seq} is missing before ${seq}, and no gap stands for it`);
    if (item.version > acknowledged) problems.push(`event ${seq} was sent before the reply to its subscription`);
    if (item.isOvertaken) problems.push(`event ${seq} was overtaken by a reply`);
    return { next: index + 1, problems };
  }

  /** What of each stretch of the stream, live or one replay's, lies in a gap that begins at `place`. */
  stretches(place: number, from: number, to: number): Stretch[] {
    const stretches: Stretch[] = [];
    for (let index = place; index < this.#items.length;) {
      const { replay } = this.#items[index] as Item;
      const covered: Item[] = [];
      let next = place;
      for (; index < this.#items.length && this.#items[index]?.replay === replay; index += 1) {
        const item = this.#items[index] as Item;
        const isIn = item.seq >= from && item.seq <= to;
        if (isIn) {
          covered.push(item);
          next = index + 1;
        } else if (!item.isExcused) {
          index = this.#items.length;
        }
      }
      if (covered.length > 0) stretches.push({ covered, next });
      // A later stretch may be the one that is meant only where all of this one was taken out.
      if (covered.some((item) => !item.isExcused)) break;
    }
    return stretches;
  }
}
