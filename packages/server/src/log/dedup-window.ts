// Which event ids were appended lately, and where. Bounded by age and by count.
import { IdRing } from "./id-ring.js";
import type { DedupLimits } from "./log-options.js";

/** Ids remembered together: they end before this seq. */
interface Generation {
  readonly atMs: number;
  readonly endSeq: number;
}

/**
 * A window over the newest event ids. Every record of the log enters it, so an id's number in the ring is its seq. What
 * is claimed for a commit is known at once and counts for no bound until the commit is `kept` or `dropped`.
 */
export class DedupWindow {
  readonly #limits: DedupLimits;
  readonly #ids: IdRing;
  /** The seq behind the last one that is kept. */
  #keptEnd = 0;
  #generations: Generation[] = [];
  /** Generations before this index are forgotten. */
  #firstGeneration = 0;

  constructor(limits: DedupLimits) {
    this.#limits = limits;
    this.#ids = new IdRing(limits.maxIds);
  }

  /** How many ids are known, those claimed among them. */
  get size(): number {
    return this.#ids.next - this.#ids.first;
  }

  /** The seq under which an id was appended or is claimed, undefined where it is not known (any more). */
  seqOf(id: Uint8Array): number | undefined {
    return this.#ids.find(id, 0, id.length);
  }

  /**
   * The seq of the id `bytes[start, end)` where it is known; else it is claimed for `seq`, which follows the last one
   * claimed or kept, and undefined is returned. Call `expire` first.
   */
  claim(bytes: Uint8Array, start: number, end: number, seq: number): number | undefined {
    this.#goTo(seq);
    return this.#ids.findOrAdd(bytes, start, end);
  }

  /** Claims an id that may be known already, as one that was stored before the window was. */
  claimAgain(id: Uint8Array, seq: number): void {
    this.#goTo(seq);
    this.#ids.add(id);
  }

  /** Remembers what is claimed, as of `atMs`. Times never go back from one call to the next. */
  keep(atMs: number): void {
    const endSeq = this.#ids.next;
    if (endSeq === this.#keptEnd) return;
    this.#keptEnd = endSeq;
    this.#generations.push({ atMs, endSeq });
    while (this.size > this.#limits.maxIds) this.#ids.dropFirst();
    this.#leaveGenerations();
  }

  /** Forgets what is claimed: its records were not stored. */
  drop(): void {
    while (this.#ids.next > this.#keptEnd) this.#ids.dropLast();
  }

  /**
   * Forgets the ids that are `windowMs` old or older at `nowMs`, `idsMax` of them at most, and says whether that was
   * all. Nothing may be claimed.
   */
  expire(nowMs: number, idsMax = Number.POSITIVE_INFINITY): boolean {
    const end = this.#ids.first + idsMax;
    for (;;) {
      const generation = this.#generations[this.#firstGeneration];
      if (generation === undefined || nowMs - generation.atMs < this.#limits.windowMs) return true;
      while (this.#ids.first < generation.endSeq) {
        if (this.#ids.first === end) return false;
        this.#ids.dropFirst();
      }
      this.#leaveGenerations();
    }
  }

  /** Ids are consecutive; where the log has a hole, what was before it is forgotten. */
  #goTo(seq: number): void {
    if (seq === this.#ids.next) return;
    this.#ids.restart(seq);
    this.#keptEnd = seq;
    this.#generations = [];
    this.#firstGeneration = 0;
  }

  #leaveGenerations(): void {
    const { first } = this.#ids;
    while ((this.#generations[this.#firstGeneration]?.endSeq ?? Number.POSITIVE_INFINITY) <= first) {
      this.#firstGeneration += 1;
    }
    if (this.#firstGeneration * 2 > this.#generations.length) {
      this.#generations = this.#generations.slice(this.#firstGeneration);
      this.#firstGeneration = 0;
    }
  }
}
