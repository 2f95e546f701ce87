// Between the one who reads events and the one who sends them: what was read while a request was under way goes into
// the next one, so that a slow producer's event leaves at once and a fast one's leave in full batches.
import { type BatchLimits, type EventBatch, EventBatcher } from "./event-batch.js";

/** Full batches that wait; past it the reader waits. */
const fullBatchesMax = 2;

/** An ordered queue for one reader and one sender. Holds two full batches and one in the making. */
export class BatchQueue {
  readonly #batcher: EventBatcher;
  readonly #full: EventBatch[] = [];
  #isEnded = false;
  #wakeReader: (() => void) | undefined;
  #wakeSender: (() => void) | undefined;

  constructor(limits?: BatchLimits) {
    this.#batcher = new EventBatcher(limits);
  }

  /** Adds an event; the sender is not woken before `flush`. */
  add(text: string, line: number): void {
    const full = this.#batcher.add(text, line);
    if (full !== undefined) this.#full.push(full);
  }

  /** Lets the sender have what there is. @returns when there is room for more. */
  async flush(): Promise<void> {
    this.#wakeSender?.();
    while (this.#full.length >= fullBatchesMax && !this.#isEnded) {
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    }
  }

  /** Nothing more comes; what is there can still be taken. */
  end(): void {
    this.#isEnded = true;
    this.#wakeSender?.();
    this.#wakeReader?.();
  }

  /** The next batch, as soon as there is one; undefined at the end. */
  async take(): Promise<EventBatch | undefined> {
    for (;;) {
      const batch = this.#full.shift() ?? this.#batcher.take();
      if (batch !== undefined) {
        this.#wakeReader?.();
        return batch;
      }
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => (this.#wakeSender = resolve));
    }
  }
}
