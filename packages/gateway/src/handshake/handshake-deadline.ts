// The time that a handshake has, once its head is there: one timer, and whoever works on it at the moment hears of its end.

/** Runs from its making on; whoever made it ends it. */
export class HandshakeDeadline {
  readonly #timer: NodeJS.Timeout;
  #isPast = false;
  #onPast: (() => void) | undefined;

  /** @param ms the time there is. */
  constructor(ms: number) {
    this.#timer = setTimeout(() => {
      this.#isPast = true;
      this.#onPast?.();
    }, ms);
  }

  get isPast(): boolean {
    return this.#isPast;
  }

  /** Calls this at the end, in place of what was to be called before; undefined calls nothing. */
  whenPast(onPast: (() => void) | undefined): void {
    this.#onPast = onPast;
  }

  /** What `work` comes to, or undefined at the deadline. */
  async race<T>(work: Promise<T>): Promise<T | undefined> {
    const late = new Promise<undefined>((resolve) => this.whenPast(() => resolve(undefined)));
    try {
      return await Promise.race([work, late]);
    } finally {
      this.whenPast(undefined);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#onPast = undefined;
  }
}
