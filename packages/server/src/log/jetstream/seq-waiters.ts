// Those who wait until the feed has come to a seq.

/** An acknowledged append waits this long for the feed, ms; it is durable whatever comes. */
const waitMsMax = 5000;

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
}

/** Waits for seqs. As many wait as appends are under way, which their bytes bound. */
export class SeqWaiters {
  #waiters: Waiter[] = [];

  /** Resolves when `reached` is told of `seq` or more, or after 5 s. */
  wait(seq: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, waitMsMax);
      const resolve = (): void => {
        clearTimeout(timer);
        done();
      };
      this.#waiters.push({ seq, resolve });
    });
  }

  /** The feed has told of everything up to `head`. */
  reached(head: number): void {
    const done = this.#waiters.filter(({ seq }) => seq <= head);
    if (done.length === 0) return;
    this.#waiters = this.#waiters.filter(({ seq }) => seq > head);
    for (const { resolve } of done) resolve();
  }
}
