// A subscription as its user has it: something to iterate over, or a callback that is called in order.
import type { Cursor } from "./cursor-store.js";
import type { Gap, SluiceEvent } from "./event.js";
import type { Feed } from "./feed.js";

/** What to subscribe to. */
export interface SubscribeOptions {
  /** 1 to 100 event types, or patterns with a trailing `*`; default all. */
  readonly events?: readonly string[] | string;
  /** Up to 1000 cluster names; default all that the token may see. */
  readonly clusters?: readonly string[] | string;
  /**
   * Where to begin: a cursor of an earlier subscription, a bare `seq`, or 0 for all that is retained. Default: what the
   * cursor store has under `name`, else with what is published from now on.
   */
  readonly since?: number | Cursor;
  /** What the cursor store knows it by; default made of `events` and `clusters`. */
  readonly name?: string;
  /** Ends the subscription when aborted. */
  readonly signal?: AbortSignal;
  /** Gaps go here instead of standing among the events. */
  readonly onGap?: (gap: Gap) => void;
}

/** Subscribing with `onGap`, so that only events are handed out. */
export type SubscribeOptionsWithGaps = SubscribeOptions & { readonly onGap: (gap: Gap) => void };

/** Called with one item after the other; the next one waits for the promise that it may return. */
export type OnItem<Item> = (item: Item) => unknown;

/**
 * Events of one subscription, in order and each once; gaps among them unless `onGap` is given. Iterate over it once.
 * Leaving the loop ends it.
 */
export interface Subscription<Item> extends AsyncIterableIterator<Item, void, undefined>, Disposable {
  /** Everything up to here was handled; undefined until the first connection. An item is handled when the next is asked for. */
  readonly cursor: Cursor | undefined;
  /** Settles when a callback's subscription has ended: rejects with what the callback threw, or what ended it. */
  readonly finished: Promise<void> | undefined;
  /** Ends it; what waits is dropped, and is there again for who begins at the `cursor`. */
  close(): void;
}

/** The user's side of `feed`. */
export function createSubscription<Item extends SluiceEvent | Gap>(
  feed: Feed,
  signal: AbortSignal | undefined,
  onItem: OnItem<Item> | undefined,
): Subscription<Item> {
  const items = feed.items() as AsyncGenerator<Item, void, undefined>;
  const close = (): void => feed.close();
  signal?.addEventListener("abort", close, { signal: feed.ended });
  if (signal?.aborted === true) close();

  const run = async (handle: OnItem<Item>): Promise<void> => {
    for await (const item of items) await handle(item);
  };
  return {
    next: () => items.next(),
    return() {
      close();
      return items.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
    get cursor() {
      return feed.cursor;
    },
    finished: onItem === undefined ? undefined : run(onItem),
    close,
    [Symbol.dispose]: close,
  };
}
