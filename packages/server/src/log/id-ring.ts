// The newest ids in the order in which they came, each in a slot of the same size, found again by a hash table over the
// slots. All of it is two typed arrays: an id costs no object, and the collector sees nothing of it.
import { hash } from "node:crypto";
import { KeyedHash } from "./keyed-hash.js";

/** A slot: the hash, then one byte of length and the id, padded with zeros. */
const slotWords = 12;
/** Longest id that is kept as it is, bytes: a UUID fits, and a SHA-256 in base64url. */
const plainBytesMax = (slotWords - 1) * 4 - 1;
/** Stands for the length where a longer id is kept as its SHA-256: nobody can make another with the same. */
const digestMark = 0xff;

/**
 * Most slots made before they are needed: 16 MiB of addresses, which the system backs with memory as they are used. To
 * grow to so many under load made the collector stop everybody for 30 ms.
 */
const slotsAtFirstMax = 262_144;
const slotsAtFirstMin = 4_096;
const growthFactor = 4;

/** Ids by consecutive numbers. Grows with what it holds and doesn't shrink; 64 bytes a slot, whole powers of two. */
export class IdRing {
  readonly #hash = new KeyedHash();
  #capacity = slotsAtFirstMin;
  #slots: Int32Array;
  /** Pairs of a hash and a slot + 1, 0 = free; open addressing, twice as many as slots. */
  #table: Int32Array;
  #first = 0;
  #next = 0;

  /** @param expected how many ids it will hold, about */
  constructor(expected = 0) {
    while (this.#capacity < Math.min(expected, slotsAtFirstMax)) this.#capacity *= 2;
    this.#slots = new Int32Array(this.#capacity * slotWords);
    this.#table = new Int32Array(this.#capacity * 4);
  }

  /** Number of the oldest id. */
  get first(): number {
    return this.#first;
  }

  /** Number that the next id gets. */
  get next(): number {
    return this.#next;
  }

  /** Forgets all; the next id gets this number. */
  restart(next: number): void {
    if (this.#first < this.#next) this.#table.fill(0);
    this.#first = next;
    this.#next = next;
  }

  /** The number of the id `bytes[start, end)`; undefined where it isn't here. */
  find(bytes: Uint8Array, start: number, end: number): number | undefined {
    return this.#known(this.#put(bytes, start, end));
  }

  /** As `find`, and adds the id where it isn't here. */
  findOrAdd(bytes: Uint8Array, start: number, end: number): number | undefined {
    const slot = this.#put(bytes, start, end);
    const known = this.#known(slot);
    if (known !== undefined) return known;
    this.#enterTable(slot);
    this.#next += 1;
    return undefined;
  }

  /** Adds the id, though it may be here already: an older one is not found again, even when the new one has left. */
  add(id: Uint8Array): void {
    const slot = this.#put(id, 0, id.length);
    const at = this.#entryOf(slot);
    if (at === undefined) this.#enterTable(slot);
    else this.#table[at + 1] = slot + 1;
    this.#next += 1;
  }

  /** Forgets the oldest id. */
  dropFirst(): void {
    this.#leave(this.#first & (this.#capacity - 1));
    this.#first += 1;
  }

  /** Forgets the newest id. */
  dropLast(): void {
    this.#next -= 1;
    this.#leave(this.#next & (this.#capacity - 1));
  }

  /** Writes an id into the next slot, where it is not known yet. */
  #put(bytes: Uint8Array, start: number, end: number): number {
    if (this.#next - this.#first === this.#capacity) this.#grow();
    const slot = this.#next & (this.#capacity - 1);
    if (end - start <= plainBytesMax) this.#write(slot, end - start, bytes, start, end);
    else {
      const digest = hash("sha256", bytes.subarray(start, end), "buffer");
      this.#write(slot, digestMark, digest, 0, digest.length);
    }
    return slot;
  }

  #write(slot: number, mark: number, bytes: Uint8Array, start: number, end: number): void {
    const slots = this.#slots;
    const hashAt = slot * slotWords;
    const slotEnd = hashAt + slotWords;
    let at = hashAt + 1;
    let word = mark;
    let shift = 8;
    for (let index = start; index < end; index += 1) {
      word |= (bytes[index] as number) << shift;
      shift += 8;
      if (shift === 32) {
        slots[at] = word;
        at += 1;
        word = 0;
        shift = 0;
      }
    }
    if (shift > 0) {
      slots[at] = word;
      at += 1;
    }
    slots[hashAt] = this.#hash.of(slots, hashAt + 1, at);
    while (at < slotEnd) {
      slots[at] = 0;
      at += 1;
    }
  }

  /** The number of the id that a slot holds, where it is known from another slot. */
  #known(slot: number): number | undefined {
    const at = this.#entryOf(slot);
    if (at === undefined) return undefined;
    const other = (this.#table[at + 1] as number) - 1;
    return this.#first + ((other - this.#first) & (this.#capacity - 1));
  }

  /** Where in the table the id stands that a slot holds. */
  #entryOf(slot: number): number | undefined {
    const table = this.#table;
    const mask = table.length - 1;
    const tag = this.#slots[slot * slotWords] as number;
    for (let at = (tag << 1) & mask; table[at + 1] !== 0; at = (at + 2) & mask) {
      if (table[at] === tag && this.#isSame(slot, (table[at + 1] as number) - 1)) return at;
    }
    return undefined;
  }

  #isSame(slot: number, other: number): boolean {
    const slots = this.#slots;
    const [start, otherStart] = [slot * slotWords, other * slotWords];
    for (let word = 1; word < slotWords; word += 1) {
      if (slots[start + word] !== slots[otherStart + word]) return false;
    }
    return true;
  }

  #enterTable(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    const tag = this.#slots[slot * slotWords] as number;
    let at = (tag << 1) & mask;
    while (table[at + 1] !== 0) at = (at + 2) & mask;
    table[at] = tag;
    table[at + 1] = slot + 1;
  }

  /**
   * Takes a slot out of the table, unless its id was added again, and moves up what stands behind it for want of room
   * (Knuth 6.4, algorithm R).
   */
  #leave(slot: number): void {
    const table = this.#table;
    const mask = table.length - 1;
    let free = ((this.#slots[slot * slotWords] as number) << 1) & mask;
    while (table[free + 1] !== slot + 1) {
      if (table[free + 1] === 0) return;
      free = (free + 2) & mask;
    }
    for (let at = (free + 2) & mask; table[at + 1] !== 0; at = (at + 2) & mask) {
      const tag = table[at] as number;
      const home = (tag << 1) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      table[free] = tag;
      table[free + 1] = table[at + 1] as number;
      free = at;
    }
    table[free + 1] = 0;
  }

  #grow(): void {
    const [slots, table, mask] = [this.#slots, this.#table, this.#capacity - 1];
    this.#capacity *= growthFactor;
    this.#slots = new Int32Array(this.#capacity * slotWords);
    this.#table = new Int32Array(this.#capacity * 4);
    const slotOf = (number: number): number => number & (this.#capacity - 1);
    for (let number = this.#first; number < this.#next; number += 1) {
      const from = (number & mask) * slotWords;
      this.#slots.set(slots.subarray(from, from + slotWords), slotOf(number) * slotWords);
    }
    // Not every slot: one whose id was added again has no entry.
    for (let at = 0; at < table.length; at += 2) {
      const slot = (table[at + 1] as number) - 1;
      if (slot >= 0) this.#enterTable(slotOf(this.#first + ((slot - this.#first) & mask)));
    }
  }
}
