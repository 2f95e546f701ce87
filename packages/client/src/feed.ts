// One subscription: what waits for its consumer, fetched from the log where it isn't in memory, and handed out in order.
import type { Cursor } from "./cursor-store.js";
import type { Gap, SluiceEvent } from "./event.js";
import { Inbox, type InboxLimits } from "./inbox.js";
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
  readonly onGap: () => void;
  /** Once, however it ended. */
  readonly onClose: () => void;
}

export interface FeedOptions extends FeedPorts {
  readonly interest: Interest;
  readonly limits: InboxLimits;
}

/** Shown as a gap where positions count no more: how many events are missing nobody can know. */
const epochGap: Gap = { type: "gap", reason: "epoch", from_seq: 0, to_seq: 0, dropped: null };

export class Feed {
  readonly interest: Interest;
  readonly inbox: Inbox;
  /** The present connection delivers to it. */
  isAttached = false;
  /** All of the live stream that it wants has come up to here. */
  completeTo = 0;
  /** It has had a place in a log. */
  isKnown = false;
  isClosed = false;
  readonly #options: FeedOptions;
  readonly #fetching = new AbortController();
  #start: Cursor | undefined;
  #cursor: Cursor | undefined;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(options: FeedOptions) {
    this.interest = options.interest;
    this.#options = options;
    this.inbox = new Inbox(options.limits);
  }

  /** Everything up to here was handled; undefined until it has a place. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** Where to begin; before the first `attach`. */
  startFrom(start: Cursor | undefined): void {
    this.#start = start;
    this.#cursor = start;
  }

  /**
   * The live stream has, from now on, everything after `live`, in the log `epoch`. `isResumed`: for a feed that was
   * attached before it goes on exactly at `completeTo`.
   */
  attach(epoch: string, live: number, isResumed: boolean): void {
    this.isAttached = true;
    if (this.isKnown) {
      if (this.inbox.epoch !== epoch) this.inbox.beginOtherLog(epoch, epochGap, 0, live);
      else if (!isResumed) this.inbox.rejoin(this.completeTo, live);
    } else {
      this.isKnown = true;
      this.#begin(epoch, live);
    }
    this.#changed();
  }

  #begin(epoch: string, live: number): void {
    const start = this.#start;
    if (start === undefined) {
      this.inbox.begin(epoch, live, live);
      this.#moved({ seq: live, epoch });
    } else if ((start.epoch ?? epoch) === epoch && start.seq <= live) this.inbox.begin(epoch, start.seq, live);
    else this.inbox.beginOtherLog(epoch, epochGap, 0, live);
  }

  /** The live stream has ended, and was complete up to `seq`. */
  detach(seq: number): void {
    if (!this.isAttached) return;
    this.isAttached = false;
    this.completeTo = seq;
  }

  /** Takes an event that it wants, or a gap; one of reason `epoch` begins the log anew. @returns see `Inbox.offer` */
  offer(item: SluiceEvent | Gap, size: number): boolean {
    let isTooMuch = false;
    if (item.type === "gap" && item.reason === "epoch") {
      this.inbox.beginOtherLog(this.inbox.epoch, item, item.to_seq, item.to_seq);
    } else isTooMuch = this.inbox.offer(item, size);
    this.#changed();
    return isTooMuch;
  }

  /** The live stream is complete up to `seq`. */
  settle(seq: number): void {
    // Only with nothing in hand, else what is being handled would count as done.
    if (this.isAttached && this.#wake !== undefined && this.inbox.settle(seq)) this.#atPosition();
  }

  /** Ends it; the consumer's loop ends when it comes back. With `failure`, that is thrown there. */
  close(failure?: Error): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.isAttached = false;
    this.#failure = failure;
    this.#fetching.abort();
    this.#wake?.();
    this.#options.onClose();
  }

  /** What the consumer iterates over; once. Asking for the next says that the last is handled. */
  async *items(): AsyncGenerator<SluiceEvent | Gap, void, undefined> {
    while (!this.isClosed) {
      const step = this.inbox.take();
      if (step.kind === "empty") await this.#change();
      else if (step.kind === "fetch") await this.#fetch(step.since, step.until);
      else {
        const { item, seq, epoch } = step.entry;
        if (item.type === "gap") this.#options.onGap();
        this.#options.onChange();
        yield item;
        this.#moved({ seq, epoch });
      }
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #fetch(since: number, until: number): Promise<void> {
    const { epoch } = this.inbox;
    const { signal } = this.#fetching;
    try {
      const page = await this.#options.fetchHistory({ interest: this.interest, since, until, epoch, signal });
      // The log may have become another one meanwhile, here or there.
      if (this.inbox.epoch !== epoch) return;
      if (page.epoch !== epoch) return await this.#change();
      this.inbox.addHistory(page.items, page.to);
      if (page.items.length === 0 && !this.inbox.isBehind) this.#atPosition();
      this.#options.onChange();
    } catch (error) {
      this.close(error as Error);
    }
  }

  #atPosition(): void {
    this.#moved({ seq: this.inbox.position, epoch: this.inbox.epoch });
  }

  #moved(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#options.onCursor(cursor);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
      if (this.isClosed) this.#wake();
    });
  }

  #changed(): void {
    this.#wake?.();
    this.#options.onChange();
  }
}
