// One read of history in a turn of the event loop, whoever asks: reading the log for many never delays live delivery
// by more than one read.

/** Lets callers through one a turn, first come first served. */
export class HistoryTurns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn, which lasts until it next awaits something that takes time. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#turn());
    });
  }

  #turn(): void {
    const resolve = this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#turn());
    resolve?.();
  }
}
