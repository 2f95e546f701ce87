// The one place that knows lmdb-js: how it is opened so that a commit is on the disk when its promise resolves, and
// how it says that a commit failed.
import { open, type RootDatabase } from "lmdb";
import { LogError } from "./event-log.js";
import { pageHeaderBytes } from "./lmdb-meta-page.js";

/** Blocks under the seq of their first record, and the meta record under {@link metaKey}. */
export type LmdbDatabase = RootDatabase<Buffer, number>;

/** Sorts before every seq, so that blocks are appended at the end of the tree and its pages fill up. */
export const metaKey = -1;

/** Address space for the map. It takes neither memory nor disk; a map that never grows is never moved. */
const mapBytes = 2 ** 40;

/** Processes that have it open, the writer among them; each reads from one thread. */
const readersMax = 126;

/** Opens the database file, or makes it where it may be written. Blocks the thread for a moment. */
export function openLmdb(path: string, mode: "write" | "follow" = "write"): LmdbDatabase {
  return open<Buffer, number>({
    path,
    readOnly: mode === "follow",
    noSubdir: true,
    encoding: "binary",
    cache: false,
    compression: false,
    maxDbs: 1,
    maxReaders: readersMax,
    mapSize: mapBytes,
    // With it a promise would resolve before the fdatasync; the crash tests and strace hold this.
    overlappingSync: false,
    // A commit is one explicit batch.
    eventTurnBatching: false,
  });
}

/**
 * Runs `change`, which puts and removes, as one transaction off this thread. Resolves when it has been synced.
 * @throws what LMDB said, `code` being its number or an errno
 */
export async function commitBatch(db: LmdbDatabase, change: () => void): Promise<void> {
  try {
    await db.batch(change);
  } catch (error) {
    // lmdb-js rejects with an error that only promises the reason.
    if (error instanceof Error && "commitError" in error) await error.commitError;
    throw error;
  }
}

/**
 * The block under `key`, in a buffer that the next read of any database overwrites.
 * @throws {LogError} `LOG_DAMAGED` where there is none
 */
export function blockAt(db: LmdbDatabase, key: number): Buffer {
  const value = db.getBinaryFast(key);
  if (value === undefined) throw new LogError("LOG_DAMAGED", `the block from seq ${key} on is missing`);
  // A view: the buffer that lmdb-js hands out has a length of its own making, which Buffer's methods overlook.
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

/** Key of the block that holds `seq`, or would; undefined where no block begins at or before it. */
export function blockKeyOf(db: LmdbDatabase, seq: number): number | undefined {
  const [key] = db.getKeys({ start: seq, reverse: true, limit: 1 });
  return key === undefined || key === metaKey ? undefined : key;
}

/** Key of the first block that begins at `seq`, ≥ 1, or later. */
export function blockKeyFrom(db: LmdbDatabase, seq: number): number | undefined {
  const [key] = db.getKeys({ start: seq, limit: 1 });
  return key;
}

/** Keys of the blocks, newest first. */
export function* newestKeys(db: LmdbDatabase): Generator<number> {
  for (const key of db.getKeys({ start: Number.MAX_SAFE_INTEGER, reverse: true })) {
    if (key === metaKey) return;
    yield key;
  }
}

/** How far the database's pages go. */
export interface PageUse {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly depth: number;
}

/** Reads what the newest commit left. */
export function pageUseOf(db: LmdbDatabase): PageUse {
  const stats: Partial<Record<string, unknown>> = db.getStats();
  const { pageSize, lastPageNumber, treeDepth } = stats;
  if (typeof pageSize !== "number" || typeof lastPageNumber !== "number" || typeof treeDepth !== "number") {
    throw new TypeError("lmdb-js tells its statistics differently");
  }
  return { pageBytes: pageSize, lastPage: lastPageNumber, depth: treeDepth };
}

/**
 * Bytes that the file has at most after a commit, if no free page can be used.
 *
 * @param valueBytes of each value put
 * @param removals keys removed
 */
export function fileBytesAfter(use: PageUse, valueBytes: readonly number[], removals: number): number {
  const { pageBytes, lastPage, depth } = use;
  const valuePages = valueBytes.reduce((sum, bytes) => sum + Math.ceil((pageHeaderBytes + bytes) / pageBytes), 0);
  // Each change copies the pages from the root to a leaf, and may split one.
  const treePages = (valueBytes.length + removals) * (depth + 1);
  // 8 bytes for each page, were all of them free.
  const freeListPages = 16 + Math.ceil((lastPage * 8) / pageBytes);
  return (lastPage + 1 + valuePages + treePages + freeListPages) * pageBytes;
}
