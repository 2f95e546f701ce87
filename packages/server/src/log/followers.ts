// The live feed's fan-out: one that fails harms neither the log nor the others.
import type { EventRecord } from "./event-log.js";

type OnBatch = (records: readonly EventRecord[]) => void;

/** Those who follow a log. */
export class Followers {
  readonly #members = new Set<{ readonly onBatch: OnBatch }>();
  readonly #onError: (error: Error) => void;

  /** @param onError told of each exception of a follower */
  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  /** Adds one; it gets the batches told after this call, not one that is being told. Returns what removes it. */
  add(onBatch: OnBatch): () => void {
    const member = { onBatch };
    this.#members.add(member);
    return () => {
      this.#members.delete(member);
    };
  }

  /** Tells all, in the order in which they came; one that is removed meanwhile is not told. */
  tell(records: readonly EventRecord[]): void {
    const membersNow = Array.from(this.#members);
    for (const member of membersNow) {
      if (!this.#members.has(member)) continue;
      try {
        member.onBatch(records);
      } catch (cause) {
        this.#onError(new Error("a follower of the log threw", { cause }));
      }
    }
  }

  /** Removes all. */
  clear(): void {
    this.#members.clear();
  }
}
