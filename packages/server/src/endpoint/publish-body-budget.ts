// How many bytes of publish bodies the process holds at once.

/** Bytes that are taken while a body is held and given back after; never more than the budget. */
export class PublishBodyBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  /** @param bytesMax at least the largest body, or that body is never let in */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether `bytes` more would fit now. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#bytesMax;
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
