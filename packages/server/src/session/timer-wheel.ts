// Many deadlines on one timer: an item costs a place in an array, not a timer of its own.

/** What has its time. */
export interface Timed {
  /** When its time comes, ms; not to be changed while it is in a wheel. */
  readonly atMs: number;
}

export interface TimerWheelOptions {
  /** Width of a slot, ms: how late an item may come at most. */
  readonly slotMs: number;
  /** Slots of the wheel; items further ahead than all of them go round again. */
  readonly slots: number;
  readonly nowMs: number;
}

/** A hashed timer wheel. Pure: it is told the time. Items aren't taken out again; whoever gets one knows if it still counts. */
export class TimerWheel<T extends Timed> {
  readonly #slotMs: number;
  readonly #slots: T[][];
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

  add(item: T): void {
    const slot = Math.max(this.#next, Math.floor(item.atMs / this.#slotMs));
    (this.#slots[slot % this.#slots.length] as T[]).push(item);
    this.#size += 1;
  }

  /** Every item whose time has come, in the order of their times; what is added during the call and is due comes with the next. */
  take(nowMs: number): T[] {
    const due: T[] = [];
    const last = Math.floor(nowMs / this.#slotMs);
    // After a long standstill each slot is looked at once, not once per turn of the wheel.
    const from = Math.max(this.#next, last - this.#slots.length + 1);
    for (let number = from; number <= last; number += 1) this.#takeSlot(number % this.#slots.length, nowMs, due);
    this.#next = last;
    this.#size -= due.length;
    return due.sort((a, b) => a.atMs - b.atMs);
  }

  /** Every item there is, in no order. */
  takeAll(): T[] {
    const all = this.#slots.flat();
    for (const items of this.#slots) items.length = 0;
    this.#size = 0;
    return all;
  }

  #takeSlot(index: number, nowMs: number, due: T[]): void {
    const items = this.#slots[index] as T[];
    if (items.length === 0) return;
    const later: T[] = [];
    for (const item of items) (item.atMs <= nowMs ? due : later).push(item);
    this.#slots[index] = later;
  }
}
