// The newest events in memory, shared by all who are a little behind. Bounded in bytes for the whole process: what
// falls out is read from the log again by those who still need it.

import type { SharedEvent } from "../routing/shared-event.js";

/** What an event costs beside its own bytes: two buffers, the record with its strings, the shared event; heap snapshots. */
const overheadBytes = 800;
/** Evicted slots are given back when they are this many and more than half. */
const compactAt = 1024;

function cost(event: SharedEvent): number {
  // Kept twice: as stored, and as encoded for the wire.
  return 2 * event.record.fields.length + overheadBytes;
}

/** Recent events in `seq` order, at most `bytesMax` of them. */
export class Tail {
  readonly #bytesMax: number;
  /** Evicted ones are let go at once; their slots are given back later. */
  #events: (SharedEvent | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an event with a greater seq than any before; the oldest go when the bound is passed. */
  push(event: SharedEvent): void {
    this.#events.push(event);
    this.#bytes += cost(event);
    while (this.#bytes > this.#bytesMax && this.#first < this.#events.length) this.#evictOldest();
  }

  #evictOldest(): void {
    this.#bytes -= cost(this.#events[this.#first] as SharedEvent);
    this.#events[this.#first] = undefined;
    this.#first += 1;
    if (this.#first >= compactAt && this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The event with that seq, if it is still here. */
  get(seq: number): SharedEvent | undefined {
    let low = this.#first;
    let high = this.#events.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const event = this.#events[middle] as SharedEvent;
      if (event.seq === seq) return event;
      if (event.seq < seq) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
