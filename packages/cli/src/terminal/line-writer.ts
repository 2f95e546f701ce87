// Lines to a stream that may be slower than we are: joined while a turn lasts, and it says when to wait.
import type { Writable } from "node:stream";

/** Characters gathered before they are written without waiting for the end of the turn. */
const gatheredMax = 65_536;

/** Joins the lines of a turn of the event loop into one write; one write a line costs a system call each. */
export class LineWriter {
  readonly #stream: Writable;
  #lines: string[] = [];
  #length = 0;
  #room: Promise<void> | undefined;
  #hasRoom: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("drain", this.#drained);
  }

  /**
   * Takes a line without its end. It is held, never lost, when the stream is full. @returns what to wait for before the
   * next one; undefined while there is room.
   */
  write(line: string): Promise<void> | undefined {
    if (this.#lines.length === 0) setImmediate(() => this.#flush());
    this.#lines.push(line);
    this.#length += line.length + 1;
    if (this.#length >= gatheredMax) this.#flush();
    return this.#room;
  }

  /** Resolves when all that was written has left the process; lets go of the stream. */
  async end(): Promise<void> {
    this.#stream.off("drain", this.#drained);
    this.#flush();
    await new Promise<void>((resolve) => {
      this.#stream.write("", () => resolve());
    });
    this.#hasRoom?.();
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    this.#length = 0;
    if (!this.#stream.write(text)) this.#room ??= new Promise((resolve) => (this.#hasRoom = resolve));
  }

  readonly #drained = (): void => {
    this.#room = undefined;
    this.#hasRoom?.();
  };
}
