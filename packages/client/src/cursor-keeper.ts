// Saves moved cursors, at most one save of each in a while.
import type { Cursor, CursorStore } from "./cursor-store.js";
import type { Environment } from "./environment.js";
import type { Tally } from "./status.js";

/** Between two saves, ms: what may be handed out a second time after a crash. */
const saveEveryMs = 1_000;

export interface CursorKeeper {
  load(name: string): Promise<Cursor | undefined>;
  moved(name: string, cursor: Cursor): void;
  /** Saves now what has moved. */
  flush(): void;
}

/** Keeps cursors in `store`, or nowhere; what fails there is counted in `tally`. */
export function createCursorKeeper(
  store: CursorStore | undefined,
  { after }: Environment,
  tally: Pick<Tally, "cursorFailures">,
): CursorKeeper {
  const movedCursors = new Map<string, Cursor>();
  let cancel: (() => void) | undefined;

  const attempt = async <T>(run: () => T): Promise<Awaited<T> | undefined> => {
    try {
      return await run();
    } catch {
      tally.cursorFailures += 1;
      return undefined;
    }
  };
  const flush = (): void => {
    cancel?.();
    cancel = undefined;
    for (const [name, cursor] of movedCursors) void attempt(() => store?.save(name, cursor));
    movedCursors.clear();
  };
  return {
    load: (name) => attempt(() => store?.load(name)),
    moved(name, cursor) {
      if (store === undefined) return;
      movedCursors.set(name, cursor);
      cancel ??= after(saveEveryMs, flush);
    },
    flush,
  };
}
