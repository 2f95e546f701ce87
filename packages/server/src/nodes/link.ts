// Talk between two processes over Node's IPC: questions with answers, and things just told. Knows no event.

import { LogError, type LogErrorCode } from "../log/event-log.js";

/** One end of an IPC channel: a `ChildProcess`, a cluster worker, or `process`. */
export interface Channel {
  readonly send: (message: object) => void;
  readonly onMessage: (listener: (message: unknown) => void) => void;
  readonly onClose: (listener: () => void) => void;
}

interface Asked {
  readonly sluice: "asked";
  readonly id: number;
  readonly kind: string;
  readonly about: unknown;
}

interface Answered {
  readonly sluice: "answered";
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly code: LogErrorCode | undefined };
}

interface Told {
  readonly sluice: "told";
  readonly kind: string;
  readonly about: unknown;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export interface LinkOptions {
  readonly channel: Channel;
  /** Answers what the other side asks; a rejection is told to it, with its code where it is a {@link LogError}. */
  readonly answer: (kind: string, about: unknown) => unknown;
  readonly told: (kind: string, about: unknown) => void;
}

/** A link to one other process. */
export class Link {
  readonly #channel: Channel;
  readonly #options: LinkOptions;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #isClosed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#channel = options.channel;
    this.#channel.onMessage((message) => this.#take(message));
    this.#channel.onClose(() => this.#close());
  }

  /** Asks the other side. Rejects where it refuses, or has gone. */
  ask(kind: string, about: unknown): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(gone());
    this.#asked += 1;
    const id = this.#asked;
    const message: Asked = { sluice: "asked", id, kind, about };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#channel.send(message);
    });
  }

  /** Tells the other side; nothing comes back. */
  tell(kind: string, about: unknown): void {
    const message: Told = { sluice: "told", kind, about };
    if (!this.#isClosed) this.#channel.send(message);
  }

  #take(message: unknown): void {
    if (typeof message !== "object" || message === null || !("sluice" in message)) return;
    const ours = message as Asked | Answered | Told;
    if (ours.sluice === "told") this.#options.told(ours.kind, ours.about);
    else if (ours.sluice === "asked") void this.#answer(ours);
    else this.#settle(ours);
  }

  async #answer({ id, kind, about }: Asked): Promise<void> {
    let answered: Answered;
    try {
      answered = { sluice: "answered", id, value: await this.#options.answer(kind, about) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = error instanceof LogError ? error.code : undefined;
      answered = { sluice: "answered", id, error: { message, code } };
    }
    if (!this.#isClosed) this.#channel.send(answered);
  }

  #settle({ id, value, error }: Answered): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(error.code === undefined ? new Error(error.message) : new LogError(error.code, error.message));
  }

  #close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function gone(): LogError {
  return new LogError("LOG_CLOSED", "the other process has gone");
}
