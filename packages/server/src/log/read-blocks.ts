// A page of history from the blocks of an LMDB database, for the process that writes them and for those that follow.
import { LogError, type LogPage, type PageBounds, type ReadOptions, type TakeRecord } from "./event-log.js";
import { blockAt, blockKeyFrom, blockKeyOf, type LmdbDatabase } from "./lmdb-database.js";
import { PageBuilder } from "./page-builder.js";
import { readBlock, scanBlock } from "./read-block.js";

/** What finding and checking a block costs, in records looked at. */
const blockCost = 8;

/** What is retained now. */
interface Retained {
  readonly oldest: number;
  readonly head: number;
}

/** Continues a page with a block, as {@link readBlock}. */
type ReadOne = (block: Buffer, firstSeq: number, page: PageBuilder) => number;

/**
 * A page, as {@link EventLog.read}.
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT` with the `seqs` that cannot be read; `LOG_FAILED` where LMDB lets
 *   nobody in after a failed write of its meta page.
 */
export function readBlocks(db: LmdbDatabase, retained: Retained, after: number, options: ReadOptions): LogPage {
  return fill(db, retained, new PageBuilder(after, options, retained), readBlock).build();
}

/**
 * The same as {@link EventLog.scan}.
 * @throws {LogError} as {@link readBlocks}
 */
export function scanBlocks(
  db: LmdbDatabase,
  retained: Retained,
  after: number,
  options: ReadOptions,
  take: TakeRecord,
): PageBounds {
  const page = new PageBuilder(after, options, retained);
  return fill(db, retained, page, (block, firstSeq) => scanBlock(block, firstSeq, page, take)).bounds;
}

function fill(db: LmdbDatabase, retained: Retained, page: PageBuilder, readOne: ReadOne): PageBuilder {
  try {
    readWhole(db, retained, page, readOne);
    return page;
  } catch (cause) {
    if (cause instanceof LogError) throw cause;
    throw new LogError("LOG_FAILED", "the log's file cannot be read until a restart", { cause });
  }
}

function readWhole(db: LmdbDatabase, retained: Retained, page: PageBuilder, readOne: ReadOne): void {
  let key = page.isDone ? page.nextSeq : (blockKeyOf(db, page.nextSeq) ?? page.nextSeq);
  const pageStart = page.nextSeq;
  while (!page.isDone) {
    page.spend(blockCost);
    try {
      key = readOne(blockAt(db, key), key, page) + 1;
    } catch (cause) {
      // What is good before the damage is given first; the next page begins with the damage.
      if (page.nextSeq > pageStart) break;
      throw damage(db, retained.head, page.nextSeq, cause);
    }
  }
}

function damage(db: LmdbDatabase, head: number, seq: number, cause: unknown): unknown {
  if (!(cause instanceof LogError)) return cause;
  const seqs = { first: seq, last: Math.min((blockKeyFrom(db, seq + 1) ?? head + 1) - 1, head) };
  return new LogError(cause.code, `seqs ${seqs.first} to ${seqs.last} cannot be read`, { cause, seqs });
}
