// One subscription: what waits for its consumer, fetched from the log where it isn't in memory, and handed out in order.
import type { Cursor } from "./cursor-store.js";
import type { Gap, SluiceEvent } from "./event.js";
import { createInbox, type HistoryRange, type Inbox, type InboxLimits } from "./inbox.js";
import type { Interest } from "./interest.js";

/** A page of the log. */
export interface HistoryPage {
  readonly epoch: string;
  readonly items: readonly (SluiceEvent | Gap)[];
  /** Complete up to here. */
  readonly to: number;
}

/** What to fetch: `seq > since`, up to and including `until`, of what `interest` wants. */
export interface HistoryRequest {
  readonly interest: Interest;
  readonly since: number;
  readonly until: number;
  readonly epoch: string;
  readonly signal: AbortSignal;
}

export interface FeedPorts {
  readonly fetchHistory: (request: HistoryRequest) => Promise<HistoryPage>;
  /** How much waits, or whether it is behind, has changed. */
  readonly onChange: () => void;
  readonly onCursor: (cursor: Cursor) => void;
  /** @returns whether it is dealt with, and not to be handed out. */
  readonly onGap: (gap: Gap) => boolean;
  /** Once, however it ended. */
  readonly onClose: () => void;
}

export interface FeedOptions extends FeedPorts {
  readonly interest: Interest;
  readonly limits: InboxLimits;
}

/** Shown as a gap where positions count no more: how many events are missing nobody can know. */
const epochGap: Gap = { type: "gap", reason: "epoch", from_seq: 0, to_seq: 0, dropped: null };

export interface Feed {
  /** What it wants; less than at first when rights have shrunk. */
  readonly interest: Interest;
  readonly inbox: Inbox;
  /** The present connection delivers to it. */
  readonly isAttached: boolean;
  /** All of the live stream that it wants had come up to here when it was cut; undefined when it was not cut yet. */
  readonly completeTo: number | undefined;
  /** Aborted when it ends. */
  readonly ended: AbortSignal;
  /** Everything up to here was handled; undefined until it has a place. */
  readonly cursor: Cursor | undefined;
  /** Where to begin; before the first `attach`. */
  startFrom(start: Cursor | undefined): void;
  /**
   * The live stream has, from now on, everything after `live`, in the log `epoch`. `isResumed`: for a feed that was
   * attached before it goes on exactly at `completeTo`.
   */
  attach(epoch: string, live: number, isResumed: boolean): void;
  /** The live stream has ended, and was complete up to `seq`. */
  detach(seq: number): void;
  /** Takes an event that it wants, or a gap; one of reason `epoch` begins the log anew. @returns see `Inbox.offer` */
  offer(item: SluiceEvent | Gap, size: number): boolean;
  /** Goes on with less, and hands out a gap that says what was taken. */
  shrink(interest: Interest, taken: Gap): void;
  /** The live stream is complete up to `seq`. */
  settle(seq: number): void;
  /** Ends it; the consumer's loop ends when it comes back. With `failure`, that is thrown there. */
  close(failure?: Error): void;
  /** What the consumer iterates over; once. Asking for the next says that the last is handled. */
  items(): AsyncGenerator<SluiceEvent | Gap, void, undefined>;
}

export function createFeed(options: FeedOptions): Feed {
  const { limits, fetchHistory, onChange, onCursor, onGap, onClose } = options;
  const inbox = createInbox(limits);
  const ending = new AbortController();
  const { signal } = ending;
  let { interest } = options;
  let isAttached = false;
  let completeTo: number | undefined;
  let cursor: Cursor | undefined;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;

  const moved = (seq: number, epoch: string): void => {
    cursor = { seq, epoch };
    onCursor(cursor);
  };
  const atPosition = (): void => moved(inbox.position, inbox.epoch);
  const changed = (): void => {
    wake?.();
    onChange();
  };
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        wake = undefined;
        resolve();
      };
      if (signal.aborted) wake();
    });
  const close = (reason?: Error): void => {
    if (signal.aborted) return;
    isAttached = false;
    failure = reason;
    ending.abort();
    wake?.();
    onClose();
  };
  const fetchPage = async ({ since, until }: HistoryRange): Promise<void> => {
    const { epoch } = inbox;
    try {
      const page = await fetchHistory({ interest, since, until, epoch, signal });
      if (inbox.epoch !== epoch) return;
      // Another log: the socket will learn of it.
      if (page.epoch !== epoch) return await change();
      inbox.addHistory(page.items, page.to);
      if (page.items.length === 0 && !inbox.isBehind) atPosition();
      onChange();
    } catch (error) {
      close(error as Error);
    }
  };

  return {
    get interest() {
      return interest;
    },
    inbox,
    get isAttached() {
      return isAttached;
    },
    get completeTo() {
      return completeTo;
    },
    ended: signal,
    get cursor() {
      return cursor;
    },
    startFrom(start) {
      cursor = start;
    },
    attach(epoch, live, isResumed) {
      isAttached = true;
      if (completeTo === undefined) {
        const { seq, epoch: startEpoch = epoch }: Cursor = cursor ?? { seq: live };
        if (startEpoch === epoch && seq <= live) inbox.begin(epoch, seq, live);
        else inbox.beginOtherLog(epoch, epochGap, 0, live);
        if (cursor === undefined) atPosition();
      } else if (inbox.epoch !== epoch) inbox.beginOtherLog(epoch, epochGap, 0, live);
      else if (!isResumed) inbox.rejoin(completeTo, live);
      changed();
    },
    detach(seq) {
      if (isAttached) completeTo = seq;
      isAttached = false;
    },
    offer(item, size) {
      let isTooMuch = false;
      if (item.type === "gap" && item.reason === "epoch") {
        inbox.beginOtherLog(inbox.epoch, item, item.to_seq, item.to_seq);
      } else isTooMuch = inbox.offer(item, size);
      changed();
      return isTooMuch;
    },
    shrink(rest, taken) {
      interest = rest;
      inbox.note(taken);
      changed();
    },
    settle(seq) {
      // Only with nothing in hand, else what is being handled would count as done.
      if (isAttached && wake !== undefined && inbox.settle(seq)) atPosition();
    },
    close,
    async *items() {
      try {
        while (!signal.aborted) {
          const next = inbox.take();
          if (next === undefined) await change();
          else if (!("item" in next)) await fetchPage(next);
          else {
            const { item, seq, epoch } = next;
            onChange();
            if (item.type !== "gap" || !onGap(item)) yield item;
            moved(seq, epoch);
          }
        }
        if (failure !== undefined) throw failure;
      } finally {
        close();
      }
    },
  };
}
