// A page of history from the blocks of an LMDB database, for the process that writes them and for those that follow.
import { LogError, type LogPage, type ReadOptions } from "./event-log.js";
import { blockAt, blockKeyFrom, blockKeyOf, type LmdbDatabase } from "./lmdb-database.js";
import { PageBuilder } from "./page-builder.js";
import { readBlock } from "./read-block.js";

/** What finding and checking a block costs, in records looked at. */
const blockCost = 8;

/**
 * A page, as {@link EventLog.read}; `bounds` is what is retained now.
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT` with the `seqs` that cannot be read; `LOG_FAILED` where LMDB lets
 *   nobody in after a failed write of its meta page.
 */
export function readBlocks(
  db: LmdbDatabase,
  bounds: { readonly oldest: number; readonly head: number },
  after: number,
  options: ReadOptions,
): LogPage {
  try {
    return readPage(db, bounds, after, options);
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    throw new LogError("LOG_FAILED", "the log's file cannot be read until a restart", { cause });
  }
}

function readPage(
  db: LmdbDatabase,
  bounds: { readonly oldest: number; readonly head: number },
  after: number,
  options: ReadOptions,
): LogPage {
  const page = new PageBuilder(after, options, bounds);
  let key = page.isDone ? page.nextSeq : (blockKeyOf(db, page.nextSeq) ?? page.nextSeq);
  const pageStart = page.nextSeq;
  while (!page.isDone) {
    page.spend(blockCost);
    try {
      key = readBlock(blockAt(db, key), key, page) + 1;
    } catch (cause) {
      // What is good before the damage is given first; the next page begins with the damage.
      if (page.nextSeq > pageStart) break;
      throw damage(db, bounds.head, page.nextSeq, cause);
    }
  }
  return page.build();
}

function damage(db: LmdbDatabase, head: number, seq: number, cause: unknown): unknown {
  if (!(cause instanceof LogError)) return cause;
  const seqs = { first: seq, last: Math.min((blockKeyFrom(db, seq + 1) ?? head + 1) - 1, head) };
  return new LogError(cause.code, `seqs ${seqs.first} to ${seqs.last} cannot be read`, { cause, seqs });
}
