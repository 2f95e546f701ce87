// Where positions are kept beyond the life of the page or process, so that the next one goes on where this one ended.

/** A position in a log: everything up to `seq` was handled. */
export interface Cursor {
  readonly seq: number;
  /** The log that `seq` counts in; without it, whichever there is. */
  readonly epoch?: string;
}

/** Keeps cursors by name. What it throws, or rejects with, is counted and disturbs no subscription. */
export interface CursorStore {
  load(name: string): Cursor | undefined | Promise<Cursor | undefined>;
  save(name: string, cursor: Cursor): void | Promise<void>;
}

/** Cursors in this process: for a new client that goes on after another. */
export function memoryCursors(): CursorStore {
  const cursors = new Map<string, Cursor>();
  return {
    load: (name) => cursors.get(name),
    save(name, cursor) {
      cursors.set(name, cursor);
    },
  };
}

/** What is needed of `localStorage`, `sessionStorage` or a stand-in. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Cursors in the browser's `localStorage`, under `sluice:<name>`. */
export function localStorageCursors(
  storage: KeyValueStorage = (globalThis as unknown as { readonly localStorage: KeyValueStorage }).localStorage,
  prefix = "sluice:",
): CursorStore {
  return {
    load: (name) => (JSON.parse(storage.getItem(prefix + name) ?? "null") as Cursor | null) ?? undefined,
    save: (name, cursor) => storage.setItem(prefix + name, JSON.stringify(cursor)),
  };
}
