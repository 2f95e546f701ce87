// Files that matter to the running process, looked at every so often: a rename over them, as certificate managers and
// Kubernetes do it, is seen as well as a write.
import { stat } from "node:fs/promises";

export interface WatchedFilesOptions {
  readonly paths: readonly string[];
  readonly intervalMs: number;
  readonly onChange: () => void;
}

/** Calls `onChange` when the time, size or identity of one of the files changes. Dispose of it to stop. */
export class WatchedFiles implements Disposable {
  readonly #options: WatchedFilesOptions;
  readonly #timer: NodeJS.Timeout;
  #seen: string | undefined;

  constructor(options: WatchedFilesOptions) {
    this.#options = options;
    void this.look();
    this.#timer = setInterval(() => void this.look(), options.intervalMs).unref();
  }

  /** Looks now. */
  async look(): Promise<void> {
    const marks = await Promise.all(this.#options.paths.map((path) => markOf(path)));
    const seen = marks.join();
    const isChanged = this.#seen !== undefined && this.#seen !== seen;
    this.#seen = seen;
    if (isChanged) this.#options.onChange();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

async function markOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino}:${size}:${mtimeMs}`;
  } catch {
    return "missing";
  }
}
