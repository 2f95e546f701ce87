// Who may have a page of the log in hand: few at a time and each for one slice, so that any number of connections that
// replay different parts of the log together hold a bounded amount of it.

import type { Consumer } from "./consumer.js";
import type { Page } from "./page.js";
import type { Pages } from "./pages.js";

/** Pages in hand at once, those on their way included: of the one furthest back, and of those who asked first. */
const readersMax = 4;

/** What becomes of a read. */
export interface PageReadersOptions {
  readonly pages: Pages;
  /** The page is in the consumer's hand, or kept by `pages`; `done` is to be called after its slice. */
  readonly onPage: (consumer: Consumer, page: Page, after: number) => void;
  readonly onError: (consumer: Consumer, error: unknown) => void;
}

interface Waiting {
  readonly consumer: Consumer;
  readonly after: number;
}

/**
 * Reads pages for consumers: at any time for the one that is furthest back, and for those that have waited longest. The
 * second is fair; the first brings those at the back to where others are, from where on they share every page. A
 * thousand laggards all over the log go over it a few times together, not once each.
 */
export class PageReaders {
  readonly #options: PageReadersOptions;
  readonly #readers = new Set<Consumer>();
  /** Let in because a page that they wait for is kept; nothing else is read until they have used it. */
  readonly #sharers = new Set<Consumer>();
  /** In the order in which they asked. */
  #waiting: Waiting[] = [];
  #furthest: Consumer | undefined;

  constructor(options: PageReadersOptions) {
    this.#options = options;
  }

  /** Whether somebody has the page in hand until its next slice. */
  holds(page: Page): boolean {
    for (const consumer of this.#readers) if (consumer.page === page) return true;
    return false;
  }

  /** Asks for the page that holds the seq after `after`. It is read once the slice that asks is `done`. */
  need(consumer: Consumer, after: number): void {
    consumer.isReading = true;
    this.#waiting.push({ consumer, after });
  }

  /** The slice is over: the page goes out of the consumer's hand, and others have their turn. */
  done(consumer: Consumer): void {
    consumer.page = undefined;
    this.#readers.delete(consumer);
    this.#sharers.delete(consumer);
    if (this.#furthest === consumer) this.#furthest = undefined;
    this.#admit();
  }

  #admit(): void {
    while (this.#readers.size < readersMax && this.#sharers.size === 0) {
      const next = this.#takeNext();
      if (next === undefined) return;
      if (next.consumer.isClosed) {
        if (this.#furthest === next.consumer) this.#furthest = undefined;
        continue;
      }
      this.#readers.add(next.consumer);
      void this.#read(next);
    }
  }

  #takeNext(): Waiting | undefined {
    const isForFurthest = this.#furthest === undefined;
    const next = isForFurthest ? this.#takeFurthest() : this.#waiting.shift();
    if (isForFurthest) this.#furthest = next?.consumer;
    return next;
  }

  #takeFurthest(): Waiting | undefined {
    let furthest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const [index, { after }] of this.#waiting.entries()) {
      if (after >= least) continue;
      least = after;
      furthest = index;
    }
    return this.#waiting.splice(furthest, 1)[0];
  }

  async #read({ consumer, after }: Waiting): Promise<void> {
    let page: Page;
    try {
      page = await this.#options.pages.read(after, consumer.encoding);
    } catch (error) {
      consumer.isReading = false;
      this.done(consumer);
      this.#options.onError(consumer, error);
      return;
    }
    consumer.isReading = false;
    if (consumer.isClosed) this.done(consumer);
    else {
      consumer.page = page;
      this.#options.onPage(consumer, page, after);
    }
    this.#share(page);
  }

  /** Lets in whoever else waits for the page: none of them has to hold it, as long as it is kept. */
  #share(page: Page): void {
    const { pages, onPage } = this.#options;
    if (this.#waiting.length === 0 || pages.peek(page.after) !== page) return;
    const sharing = this.#waiting.filter(({ after }) => page.covers(after));
    if (sharing.length === 0) return;
    this.#waiting = this.#waiting.filter(({ after }) => !page.covers(after));
    for (const { consumer, after } of sharing) {
      consumer.isReading = false;
      if (consumer.isClosed) continue;
      this.#sharers.add(consumer);
      onPage(consumer, page, after);
    }
  }
}
