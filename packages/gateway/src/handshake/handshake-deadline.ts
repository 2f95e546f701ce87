// The time that a handshake has, once its head is there: one timer, and whoever works on it at the moment hears of its end.

/** Runs from its making on; whoever made it ends it. */
export class HandshakeDeadline {
  readonly ms: number;
  readonly #timer: NodeJS.Timeout;
  #isPast = false;
  #onPast: (() => void) | undefined;

  /** @param ms the time there is. */
  constructor(ms: number) {
    this.ms = ms;
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

  /** What `work` comes to, or undefined at the deadline; or after `ms` of it, where that is sooner. */
  async race<T>(work: Promise<T>, ms?: number): Promise<T | undefined> {
    let sooner: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      this.whenPast(() => resolve(undefined));
      if (ms !== undefined) sooner = setTimeout(() => resolve(undefined), ms);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(sooner);
      this.whenPast(undefined);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#onPast = undefined;
  }
}
