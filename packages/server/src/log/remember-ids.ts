// Rebuilds the dedup window of a log that is being opened.
import { readCheckedBlockHeader } from "./block-header.js";
import { blockAt, newestKeys, type LmdbDatabase } from "./lmdb-database.js";
import type { DedupLimits } from "./log-options.js";
import { readBlockIds } from "./read-block.js";
import type { RememberedIds } from "./stored-log.js";

/**
 * The ids of the newest blocks, block by block, oldest first: as many as the window asks for, and somewhat more.
 * Checks these blocks against their checksums.
 * @throws {LogError} `LOG_DAMAGED`, `LOG_FORMAT`
 */
export function rememberIds(db: LmdbDatabase, limits: DedupLimits, nowMs: number): RememberedIds[] {
  const blocks: RememberedIds[] = [];
  let count = 0;
  for (const key of newestKeys(db)) {
    const block = blockAt(db, key);
    const { appendedAtMs } = readCheckedBlockHeader(block, key);
    if (count >= limits.maxIds || nowMs - appendedAtMs >= limits.windowMs) break;
    const ids = readBlockIds(block, key);
    blocks.push({ ids, firstSeq: key, appendedAtMs });
    count += ids.length;
  }
  return blocks.toReversed();
}
