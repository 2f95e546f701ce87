// Appends that wait for the next commit, bounded in bytes, taken out whole and in order.
import type { AppendResult, EventDraft } from "./event-log.js";
import { fieldsLengthOf, type PackedEvent } from "./packed-event.js";

/** One append that waits, with what settles it. */
export interface PendingAppend {
  readonly drafts: readonly PackedEvent[];
  readonly bytes: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

/** Memory of a waiting draft beside its `fields`: the object, its id and names. */
const draftOverheadBytes = 256;

/** What an append weighs while it waits, bytes. */
export function pendingBytes(drafts: readonly EventDraft[]): number {
  let bytes = 0;
  for (const draft of drafts) bytes += fieldsLengthOf(draft) + draftOverheadBytes;
  return bytes;
}

/** A first-in first-out queue of appends. */
export class AppendQueue {
  #waiting: PendingAppend[] = [];
  #bytes = 0;
  readonly #bytesMax: number;

  /** @param bytesMax most bytes that wait, see {@link LogOptions.pendingBytesMax} */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Takes an append in, or says false where it does not fit; an empty queue takes any. */
  push(append: PendingAppend): boolean {
    if (this.#waiting.length > 0 && this.#bytes + append.bytes > this.#bytesMax) return false;
    this.#waiting.push(append);
    this.#bytes += append.bytes;
    return true;
  }

  /** Takes whole appends out, oldest first: one always, more while both bounds hold. Empty where none waits. */
  take(eventsMax: number, bytesMax: number): PendingAppend[] {
    let count = 0;
    let events = 0;
    let bytes = 0;
    for (const append of this.#waiting) {
      events += append.drafts.length;
      bytes += append.bytes;
      if (count > 0 && (events > eventsMax || bytes > bytesMax)) break;
      count += 1;
      this.#bytes -= append.bytes;
    }
    return this.#waiting.splice(0, count);
  }
}
