// Events gathered into requests, in order, bounded by number and bytes.

/** Events of one request. */
export interface EventBatch {
  /** Each an event's JSON on one line. */
  readonly texts: readonly string[];
  /** Where each came from: line numbers, ascending. */
  readonly lines: readonly number[];
}

/** Most of one request. */
export interface BatchLimits {
  readonly events: number;
  /** Bytes of its body; a single event may be larger. */
  readonly bytes: number;
}

/**
 * Large enough that a request's own cost (about 0.3 ms) vanishes, small enough that a retry repeats little and a body
 * is far below what a service takes (16 MiB, 10,000 events).
 */
const batchLimits: BatchLimits = { events: 1_000, bytes: 1_048_576 };

/** Gathers events until a batch is full. Pure. */
export class EventBatcher {
  readonly #limits: BatchLimits;
  #texts: string[] = [];
  #lines: number[] = [];
  #bytes = 0;

  constructor(limits: BatchLimits = batchLimits) {
    this.#limits = limits;
  }

  /** Adds an event. @returns the batch that was full before it, or is full with it. */
  add(text: string, line: number): EventBatch | undefined {
    const bytes = Buffer.byteLength(text) + 1;
    const limits = this.#limits;
    const before = this.#bytes + bytes > limits.bytes ? this.take() : undefined;
    this.#texts.push(text);
    this.#lines.push(line);
    this.#bytes += bytes;
    return before ?? (this.#texts.length >= limits.events ? this.take() : undefined);
  }

  /** What has been gathered; undefined when that is nothing. */
  take(): EventBatch | undefined {
    if (this.#texts.length === 0) return undefined;
    const batch = { texts: this.#texts, lines: this.#lines };
    this.#texts = [];
    this.#lines = [];
    this.#bytes = 0;
    return batch;
  }
}

/** Two halves in order, for a service that takes less at a time; undefined when there is nothing to halve. */
export function halveBatch({ texts, lines }: EventBatch): readonly [EventBatch, EventBatch] | undefined {
  if (texts.length < 2) return undefined;
  const middle = Math.ceil(texts.length / 2);
  return [
    { texts: texts.slice(0, middle), lines: lines.slice(0, middle) },
    { texts: texts.slice(middle), lines: lines.slice(middle) },
  ];
}
