// Many deadlines on one timer: an entry costs a slot in an array, not a timer of its own.

interface Entry<T> {
  readonly atMs: number;
  readonly item: T;
}

export interface TimerWheelOptions {
  /** Width of a slot, ms: how late an item may come at most. */
  readonly slotMs: number;
  /** Slots of the wheel; items further ahead than all of them go round again. */
  readonly slots: number;
  readonly nowMs: number;
}

/** A hashed timer wheel. Pure: it is told the time. Items aren't taken out again; whoever gets one knows if it still counts. */
export class TimerWheel<T> {
  readonly #slotMs: number;
  readonly #slots: Entry<T>[][];
  /** Number of the slot that is looked at next, counted from the clock's start. */
  #next: number;
  #size = 0;

  constructor({ slotMs, slots, nowMs }: TimerWheelOptions) {
    this.#slotMs = slotMs;
    this.#slots = Array.from({ length: slots }, () => []);
    this.#next = Math.floor(nowMs / slotMs);
  }

  get size(): number {
    return this.#size;
  }

  add(atMs: number, item: T): void {
    const slot = Math.max(this.#next, Math.floor(atMs / this.#slotMs));
    (this.#slots[slot % this.#slots.length] as Entry<T>[]).push({ atMs, item });
    this.#size += 1;
  }

  /** Every item whose time has come, slot by slot; what was added during the call and is due comes with the next. */
  take(nowMs: number): T[] {
    const due: Entry<T>[] = [];
    const last = Math.floor(nowMs / this.#slotMs);
    // After a long standstill each slot is looked at once, not once per turn of the wheel.
    const from = Math.max(this.#next, last - this.#slots.length + 1);
    for (let number = from; number <= last; number += 1) this.#takeSlot(number % this.#slots.length, nowMs, due);
    this.#next = last;
    this.#size -= due.length;
    return due.sort((a, b) => a.atMs - b.atMs).map(({ item }) => item);
  }

  #takeSlot(index: number, nowMs: number, due: Entry<T>[]): void {
    const entries = this.#slots[index] as Entry<T>[];
    if (entries.length === 0) return;
    const later: Entry<T>[] = [];
    for (const entry of entries) (entry.atMs <= nowMs ? due : later).push(entry);
    this.#slots[index] = later;
  }
}
