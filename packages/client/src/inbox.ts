// What waits for one consumer, bounded, and where the rest of it is: the log keeps it, so nothing has to be kept here.
// Pure: it decides what is next, it fetches nothing.
//
//   handed out … #from | history, in the log … #historyTo | #live, in memory
//
// What no longer fits into memory is let go and belongs to the history again: an overflow costs a request, not an event.
import type { Gap, SluiceEvent } from "./event.js";

/** One thing to hand out, and where in the log it stands. */
export interface Entry {
  readonly item: SluiceEvent | Gap;
  readonly seq: number;
  readonly epoch: string;
  /** UTF-16 units of its text; an event's share of the bound. */
  readonly size: number;
}

/** What the consumer gets next. */
export type Step =
  | { readonly kind: "entry"; readonly entry: Entry }
  /** It is in the log: everything with `seq > since`, up to and including `until`. */
  | { readonly kind: "fetch"; readonly since: number; readonly until: number }
  | { readonly kind: "empty" };

/** Bounds of what is kept in memory. */
export interface InboxLimits {
  /** Events. */
  readonly itemsMax: number;
  /** UTF-16 units of their texts; a single larger event is taken all the same. */
  readonly sizeMax: number;
}

export class Inbox {
  readonly #limits: InboxLimits;
  /** Comes first: a page of history, or what is left from before a change. */
  #first: Entry[] = [];
  #live: Entry[] = [];
  #liveSize = 0;
  #from = 0;
  #historyTo = 0;
  /** Nothing up to here is taken from the live stream any more. */
  #receivedTo = 0;
  #epoch = "";
  /** Events that were let go of and not fetched yet. */
  #letGo = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** The log that positions are counted in. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Events in memory. */
  get size(): number {
    return this.#first.length + this.#live.length;
  }

  /** Events that came and were not handed out: those in memory, and those that wait in the log since. */
  get pending(): number {
    return this.size + this.#letGo;
  }

  /** Share of the bound on live events that is in use, 0 to 1 and a little above. */
  get fill(): number {
    return Math.max(this.#live.length / this.#limits.itemsMax, this.#liveSize / this.#limits.sizeMax);
  }

  /** Whether something has to be fetched from the log before live events can be handed out. */
  get isBehind(): boolean {
    return this.#from < this.#historyTo;
  }

  /** Begins in the log `epoch` after `from`; the live stream has everything after `live`. */
  begin(epoch: string, from: number, live: number): void {
    this.#epoch = epoch;
    this.#from = from;
    this.#historyTo = live;
    this.#receivedTo = live;
    this.#letGo = 0;
  }

  /**
   * The positions count no more: what waits is handed out, then `gap`, then the log `epoch` after `from`. History that
   * was not fetched is in the gap.
   */
  beginOtherLog(epoch: string, gap: Gap, from: number, live: number): void {
    const entry: Entry = { item: gap, seq: from, epoch, size: 0 };
    this.#first.push(...(this.isBehind ? [entry, ...this.#live] : [...this.#live, entry]));
    this.#clearLive();
    this.begin(epoch, from, live);
  }

  /** The live stream was interrupted after `upTo` and has everything after `live`; what lies between is in the log. */
  rejoin(upTo: number, live: number): void {
    if (live <= this.#receivedTo) return;
    if (!this.isBehind && this.size <= this.#limits.itemsMax) {
      this.#first.push(...this.#live);
      this.#from = Math.max(this.#from, this.#receivedTo, upTo);
    } else this.#letLiveGo();
    this.#clearLive();
    this.#historyTo = live;
    this.#receivedTo = live;
  }

  /**
   * Takes an event of the live stream that the consumer wants, or a gap of it, unless it came before. @returns whether
   * that was too much, and what waited belongs to the history again.
   */
  offer(item: SluiceEvent | Gap, size: number): boolean {
    const seq = seqOf(item);
    if (seq <= this.#receivedTo) return false;
    this.#receivedTo = seq;
    const { itemsMax, sizeMax } = this.#limits;
    const isFull = this.#live.length >= itemsMax || this.#liveSize + size > sizeMax;
    if (isFull && this.#live.length > 0) {
      this.#letLiveGo();
      this.#letGo += 1;
      this.#clearLive();
      this.#historyTo = seq;
      return true;
    }
    this.#live.push({ item, seq, epoch: this.#epoch, size });
    this.#liveSize += size;
    return false;
  }

  /** The live stream is complete up to `seq`. @returns whether that moved the position of a consumer that has it all. */
  settle(seq: number): boolean {
    if (this.size > 0 || this.isBehind || seq <= this.#from) return false;
    this.#from = seq;
    this.#receivedTo = Math.max(this.#receivedTo, seq);
    return true;
  }

  /** Everything that the consumer wants up to here was handed out. */
  get position(): number {
    return this.#from;
  }

  /** Takes what is next. */
  take(): Step {
    const first = this.#first.shift();
    if (first !== undefined) return { kind: "entry", entry: first };
    if (this.isBehind) return { kind: "fetch", since: this.#from, until: this.#historyTo };
    const entry = this.#live.shift();
    if (entry === undefined) return { kind: "empty" };
    this.#liveSize -= entry.size;
    this.#from = Math.max(this.#from, entry.seq);
    return { kind: "entry", entry };
  }

  /** What was fetched, complete up to `to`. */
  addHistory(items: readonly (SluiceEvent | Gap)[], to: number): void {
    for (const item of items) {
      const seq = seqOf(item);
      if (seq > this.#from) this.#first.push({ item, seq, epoch: this.#epoch, size: 0 });
    }
    this.#from = Math.max(this.#from, to);
    this.#letGo = this.isBehind ? Math.max(0, this.#letGo - items.length) : 0;
  }

  /** What is about to be let go, when nothing is missing before it, is the beginning of the history to fetch. */
  #letLiveGo(): void {
    this.#letGo += this.#live.length;
    const item = this.#live[0]?.item;
    if (this.isBehind || item === undefined) return;
    this.#from = Math.max(this.#from, (item.type === "gap" ? item.from_seq : item.seq) - 1);
  }

  #clearLive(): void {
    this.#live = [];
    this.#liveSize = 0;
  }
}

function seqOf(item: SluiceEvent | Gap): number {
  return item.type === "gap" ? item.to_seq : item.seq;
}
