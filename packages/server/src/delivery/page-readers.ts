// Who may have a page of the log in hand: few at a time and each for one slice, so that any number of connections that
// replay different parts of the log together hold a bounded amount of it.

import type { Consumer } from "./consumer.js";
import type { Page, Pages } from "./pages.js";

/** Pages in hand at once, those on their way included. */
const readersMax = 16;

/** What becomes of a read. */
export interface PageReadersOptions {
  readonly pages: Pages;
  /** The page is in the consumer's hand; `done` is to be called after its slice. */
  readonly onPage: (consumer: Consumer, page: Page, after: number) => void;
  readonly onError: (consumer: Consumer, error: unknown) => void;
}

interface Waiting {
  readonly consumer: Consumer;
  readonly after: number;
}

/** Reads pages for consumers, first come first served. */
export class PageReaders {
  readonly #options: PageReadersOptions;
  readonly #readers = new Set<Consumer>();
  #waiting: Waiting[] = [];

  constructor(options: PageReadersOptions) {
    this.#options = options;
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
    this.#admit();
  }

  #admit(): void {
    while (this.#readers.size < readersMax) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (next.consumer.isClosed) continue;
      this.#readers.add(next.consumer);
      void this.#read(next);
    }
  }

  async #read({ consumer, after }: Waiting): Promise<void> {
    let page: Page;
    try {
      page = await this.#options.pages.read(after);
    } catch (error) {
      consumer.isReading = false;
      this.done(consumer);
      this.#options.onError(consumer, error);
      return;
    }
    consumer.isReading = false;
    if (consumer.isClosed) {
      this.done(consumer);
      return;
    }
    consumer.page = page;
    this.#options.onPage(consumer, page, after);
  }
}
