// The newest seqs of a lane by ordinal, for members that are behind: eight bytes an event, whatever its size.

const slotsMin = 64;

/** A ring of seqs under consecutive ordinals `[start, end)`; grows to what `trimTo` lets it hold. */
export class SeqWindow {
  #slots = new Float64Array(slotsMin);
  #start = 0;
  #end = 0;

  /** Ordinal of the oldest seq held; equals `end` when none is. */
  get start(): number {
    return this.#start;
  }

  /** Ordinal that the next seq will get. */
  get end(): number {
    return this.#end;
  }

  push(seq: number): void {
    if (this.#end - this.#start === this.#slots.length) this.#grow();
    this.#slots[this.#end % this.#slots.length] = seq;
    this.#end += 1;
  }

  /** The seq under an ordinal in `[start, end)`. */
  at(ordinal: number): number {
    if (ordinal < this.#start || ordinal >= this.#end) throw new RangeError(`ordinal ${ordinal} is not in the window`);
    return this.#slots[ordinal % this.#slots.length] as number;
  }

  /** Lets go of the oldest until at most `count` are held. */
  trimTo(count: number): void {
    this.#start = Math.max(this.#start, this.#end - count);
  }

  /** Empties the window and counts on from `end`: nobody needs the past. */
  restartAt(end: number): void {
    this.#start = end;
    this.#end = end;
    if (this.#slots.length > slotsMin) this.#slots = new Float64Array(slotsMin);
  }

  #grow(): void {
    const wider = new Float64Array(this.#slots.length * 2);
    for (let ordinal = this.#start; ordinal < this.#end; ordinal += 1) {
      wider[ordinal % wider.length] = this.#slots[ordinal % this.#slots.length] as number;
    }
    this.#slots = wider;
  }
}
