// Saves moved cursors, at most one save of each in a while.
import type { Cursor, CursorStore } from "./cursor-store.js";
import type { Environment } from "./environment.js";
import type { Tally } from "./status.js";

/** Between two saves, ms: what may be handed out a second time after a crash. */
const saveEveryMs = 1_000;

export class CursorKeeper {
  readonly #store: CursorStore | undefined;
  readonly #environment: Environment;
  readonly #tally: Pick<Tally, "cursorFailures">;
  readonly #moved = new Map<string, Cursor>();
  #cancel: (() => void) | undefined;

  constructor(store: CursorStore | undefined, environment: Environment, tally: Pick<Tally, "cursorFailures">) {
    this.#store = store;
    this.#tally = tally;
    this.#environment = environment;
  }

  async load(name: string): Promise<Cursor | undefined> {
    try {
      return await this.#store?.load(name);
    } catch {
      this.#tally.cursorFailures += 1;
      return undefined;
    }
  }

  moved(name: string, cursor: Cursor): void {
    if (this.#store === undefined) return;
    this.#moved.set(name, cursor);
    this.#cancel ??= this.#environment.after(saveEveryMs, () => this.flush());
  }

  /** Saves now what has moved. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const moved = [...this.#moved];
    this.#moved.clear();
    for (const [name, cursor] of moved) void this.#save(name, cursor);
  }

  async #save(name: string, cursor: Cursor): Promise<void> {
    try {
      await this.#store?.save(name, cursor);
    } catch {
      this.#tally.cursorFailures += 1;
    }
  }
}
