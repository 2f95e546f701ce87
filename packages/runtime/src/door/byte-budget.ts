// How many bytes the process holds at once for callers who may all send much: bodies, events on their way to the log.

/** Bytes that are taken while something is held and given back after. */
export class ByteBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  /** @param bytesMax never passed, except by what is taken alone: when nothing is held any amount is let in */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `bytes` more would be let in now. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#bytesMax;
  }

  /** Takes `bytes`, or says false and takes nothing. */
  take(bytes: number): boolean {
    if (!this.hasRoomFor(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives back what was taken. */
  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}
