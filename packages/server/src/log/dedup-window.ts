// Which event ids were appended lately, and where. Bounded by age and by count.
import type { DedupLimits } from "./log-options.js";

interface Generation {
  readonly atMs: number;
  readonly ids: readonly string[];
}

/** A window over the newest event ids. */
export class DedupWindow {
  readonly #limits: DedupLimits;
  readonly #seqs = new Map<string, number>();
  #generations: Generation[] = [];
  /** Generations before this index, and ids before `#skipped` of the one at it, are forgotten. */
  #first = 0;
  #skipped = 0;

  constructor(limits: DedupLimits) {
    this.#limits = limits;
  }

  /** How many ids are known. */
  get size(): number {
    return this.#seqs.size;
  }

  /** The seq under which `id` was appended, undefined where it is not known (any more). Call `expire` first. */
  seqOf(id: string): number | undefined {
    return this.#seqs.get(id);
  }

  /**
   * Remembers ids appended together at `atMs`, none of them known yet, with consecutive seqs from `firstSeq` on. Times
   * never go back from one call to the next.
   */
  add(ids: readonly string[], firstSeq: number, atMs: number): void {
    if (ids.length === 0) return;
    ids.forEach((id, index) => this.#seqs.set(id, firstSeq + index));
    this.#generations.push({ atMs, ids });
    while (this.#seqs.size > this.#limits.maxIds) this.#forgetOldest();
  }

  /** Forgets every id that is `windowMs` old or older at `nowMs`. */
  expire(nowMs: number): void {
    let generation = this.#generations[this.#first];
    while (generation !== undefined && nowMs - generation.atMs >= this.#limits.windowMs) {
      for (let index = this.#skipped; index < generation.ids.length; index += 1) {
        this.#seqs.delete(generation.ids[index] as string);
      }
      this.#leaveGeneration();
      generation = this.#generations[this.#first];
    }
  }

  #forgetOldest(): void {
    const ids = this.#generations[this.#first]?.ids ?? [];
    this.#seqs.delete(ids[this.#skipped] as string);
    this.#skipped += 1;
    if (this.#skipped >= ids.length) this.#leaveGeneration();
  }

  #leaveGeneration(): void {
    this.#first += 1;
    this.#skipped = 0;
    if (this.#first * 2 > this.#generations.length) {
      this.#generations = this.#generations.slice(this.#first);
      this.#first = 0;
    }
  }
}
