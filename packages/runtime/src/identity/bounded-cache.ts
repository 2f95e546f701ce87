// A map that forgets: by age, and the least recently used first when it is full.
import type { Clock } from "../clock.js";

/** Bound of a {@link BoundedCache}. */
export interface BoundedCacheOptions {
  readonly clock: Clock;
  /** Most bytes held, as told with each entry, each at least {@link entryBytesMin}. */
  readonly bytesMax: number;
}

/** What an entry is taken to cost besides its content, bytes. */
export const entryBytesMin = 512;

interface Entry<Value> {
  readonly value: Value;
  readonly expiresAt: number;
  readonly bytes: number;
}

/** Values by key, for a while, within a number of bytes. */
export class BoundedCache<Value> {
  readonly #options: BoundedCacheOptions;
  readonly #entries = new Map<string, Entry<Value>>();
  #bytes = 0;
  /** The key inserted last; it may be gone. */
  #newest: string | undefined;

  constructor(options: BoundedCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, now the most recently used; undefined when unknown or expired. */
  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt <= this.#options.clock.now()) {
      this.delete(key);
      return undefined;
    }
    // A map that is put in order at every look makes itself anew again and again.
    if (key !== this.#newest) {
      this.delete(key);
      this.#insert(key, entry);
    }
    return entry.value;
  }

  /** Holds `value` for `ttlMs` at most. What alone is over the bound, or has no time to live, is not held. */
  set(key: string, value: Value, ttlMs: number, contentBytes: number): void {
    this.delete(key);
    const bytes = entryBytesMin + contentBytes;
    if (ttlMs <= 0 || bytes > this.#options.bytesMax) return;
    this.#insert(key, { value, expiresAt: this.#options.clock.now() + ttlMs, bytes });
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#options.bytesMax) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  #insert(key: string, entry: Entry<Value>): void {
    this.#entries.set(key, entry);
    this.#newest = key;
    this.#bytes += entry.bytes;
  }
}
