// Lines to a stream that may be slower than we are: joined while a turn lasts, and it says when to wait.
import type { Writable } from "node:stream";

/** Characters gathered before they are written without waiting for the end of the turn. */
const gatheredMax = 65_536;

/** Joins the lines of a turn into one write; one write a line costs a system call each. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #onFull: () => void;
  readonly #onDrain: () => void;
  #lines: string[] = [];
  #length = 0;
  #isFull = false;

  /** `onFull`: more should not come now; `onDrain`: it may again. Each is called once a change. */
  constructor(stream: Writable, onFull: () => void, onDrain: () => void) {
    this.#stream = stream;
    this.#onFull = onFull;
    this.#onDrain = onDrain;
    stream.on("drain", this.#drained);
  }

  /** Takes a line without its end. It is held, never lost, when the stream is full. */
  write(line: string): void {
    if (this.#lines.length === 0) queueMicrotask(() => this.#flush());
    this.#lines.push(line);
    this.#length += line.length + 1;
    if (this.#length >= gatheredMax) this.#flush();
  }

  /** Resolves when all that was written has left the process; lets go of the stream. */
  async end(): Promise<void> {
    this.#stream.off("drain", this.#drained);
    this.#flush();
    await new Promise<void>((resolve) => {
      this.#stream.write("", () => resolve());
    });
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    this.#length = 0;
    if (this.#stream.write(text) || this.#isFull) return;
    this.#isFull = true;
    this.#onFull();
  }

  readonly #drained = (): void => {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#onDrain();
  };
}
