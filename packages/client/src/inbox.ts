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

/** What is in the log: everything with `seq > since`, up to and including `until`. */
export interface HistoryRange {
  readonly since: number;
  readonly until: number;
}

/** Bounds of what is kept in memory. */
export interface InboxLimits {
  /** Events. */
  readonly itemsMax: number;
  /** UTF-16 units of their texts; a single larger event is taken all the same. */
  readonly sizeMax: number;
}

export interface Inbox {
  /** The log that positions are counted in. */
  readonly epoch: string;
  /** Everything that the consumer wants up to here was handed out. */
  readonly position: number;
  /** Events in memory. */
  readonly size: number;
  /** Events that came and were not handed out: those in memory, and those that wait in the log since. */
  readonly pending: number;
  /** Share of the bound on live events that is in use, 0 to 1 and a little above. */
  readonly fill: number;
  /** Whether something has to be fetched from the log before live events can be handed out. */
  readonly isBehind: boolean;
  /** Begins in the log `epoch` after `from`; the live stream has everything after `live`. */
  begin(epoch: string, from: number, live: number): void;
  /**
   * The positions count no more: what waits is handed out, then `gap`, then the log `epoch` after `from`. History that
   * was not fetched is in the gap.
   */
  beginOtherLog(epoch: string, gap: Gap, from: number, live: number): void;
  /** The live stream was interrupted after `upTo` and has everything after `live`; what lies between is in the log. */
  rejoin(upTo: number, live: number): void;
  /**
   * Takes an event of the live stream that the consumer wants, or a gap of it, unless it came before. @returns whether
   * that was too much, and what waited belongs to the history again.
   */
  offer(item: SluiceEvent | Gap, size: number): boolean;
  /** Takes what has no place in the log, to be handed out before what is not fetched yet, or live. */
  note(gap: Gap): void;
  /** The live stream is complete up to `seq`. @returns whether that moved the position of a consumer that has it all. */
  settle(seq: number): boolean;
  /** Takes what is next: an entry, or what to fetch first; undefined when there is nothing. */
  take(): Entry | HistoryRange | undefined;
  /** What was fetched, complete up to `to`. */
  addHistory(items: readonly (SluiceEvent | Gap)[], to: number): void;
}

export function createInbox({ itemsMax, sizeMax }: InboxLimits): Inbox {
  /** Comes first: a page of history, or what is left from before a change. */
  let first: Entry[] = [];
  let live: Entry[] = [];
  let liveSize = 0;
  let from = 0;
  let historyTo = 0;
  /** Nothing up to here is taken from the live stream any more. */
  let receivedTo = 0;
  let epoch = "";
  /** Events that were let go of and not fetched yet. */
  let letGo = 0;

  const count = (): number => first.length + live.length;
  const isBehind = (): boolean => from < historyTo;
  const handedOut = (seq: number): void => {
    from = Math.max(from, seq);
  };
  /** Ends what is live so far: the live stream has everything after `seq`. */
  const liveAfter = (seq: number): void => {
    live = [];
    liveSize = 0;
    historyTo = seq;
    receivedTo = seq;
  };
  /** What is about to be let go, when nothing is missing before it, is the beginning of the history to fetch. */
  const letLiveGo = (): void => {
    letGo += live.length;
    const item = live[0]?.item;
    if (!isBehind() && item !== undefined) handedOut((item.type === "gap" ? item.from_seq : item.seq) - 1);
  };
  const begin = (nextEpoch: string, after: number, liveSeq: number): void => {
    epoch = nextEpoch;
    from = after;
    letGo = 0;
    liveAfter(liveSeq);
  };

  return {
    get epoch() {
      return epoch;
    },
    get position() {
      return from;
    },
    get size() {
      return count();
    },
    get pending() {
      return count() + letGo;
    },
    get fill() {
      return Math.max(live.length / itemsMax, liveSize / sizeMax);
    },
    get isBehind() {
      return isBehind();
    },
    begin,
    beginOtherLog(nextEpoch, gap, after, liveSeq) {
      const entry: Entry = { item: gap, seq: after, epoch: nextEpoch, size: 0 };
      first.push(...(isBehind() ? [entry, ...live] : [...live, entry]));
      begin(nextEpoch, after, liveSeq);
    },
    rejoin(upTo, liveSeq) {
      if (liveSeq <= receivedTo) return;
      if (!isBehind() && count() <= itemsMax) {
        first.push(...live);
        handedOut(Math.max(receivedTo, upTo));
      } else letLiveGo();
      liveAfter(liveSeq);
    },
    offer(item, size) {
      const seq = seqOf(item);
      if (seq <= receivedTo) return false;
      if (live.length > 0 && (live.length >= itemsMax || liveSize + size > sizeMax)) {
        letLiveGo();
        letGo += 1;
        liveAfter(seq);
        return true;
      }
      receivedTo = seq;
      live.push({ item, seq, epoch, size });
      liveSize += size;
      return false;
    },
    note(gap) {
      first.push({ item: gap, seq: from, epoch, size: 0 });
    },
    settle(seq) {
      if (count() > 0 || isBehind() || seq <= from) return false;
      from = seq;
      receivedTo = Math.max(receivedTo, seq);
      return true;
    },
    take() {
      const entry = first.shift();
      if (entry !== undefined) return entry;
      if (isBehind()) return { since: from, until: historyTo };
      const next = live.shift();
      if (next !== undefined) {
        liveSize -= next.size;
        handedOut(next.seq);
      }
      return next;
    },
    addHistory(items, to) {
      for (const item of items) {
        const seq = seqOf(item);
        if (seq > from) first.push({ item, seq, epoch, size: 0 });
      }
      handedOut(to);
      letGo = isBehind() ? Math.max(0, letGo - items.length) : 0;
    },
  };
}

function seqOf(item: SluiceEvent | Gap): number {
  return item.type === "gap" ? item.to_seq : item.seq;
}
