// Tells a disk that is full from one that fails.
import { statfs } from "node:fs/promises";
import { LogError } from "./event-log.js";

const errnoIo = 5;
const errnoNoSpace = 28;
const errnoQuota = 122;
const mapFull = -30_792;

/** What a commit may need beyond its blocks: pages of the tree and of the free list, rounding. */
const slackBytes = 1024 * 1024;

/**
 * Names the failure of a commit: `LOG_FULL`, after which a later commit may work, or `LOG_FAILED`.
 *
 * LMDB reports a write that a full disk cut short as EIO, so an EIO is taken for a full disk where the disk has no
 * room for the commit. Going on after that is safe even if it was an fsync that failed: a failed transaction is
 * aborted, its pages belong to nothing, and the next one writes them anew. Without that excuse it is `LOG_FAILED`.
 *
 * @param dir a directory on the same file system
 * @param neededBytes the commit's blocks
 */
export async function commitError(cause: unknown, dir: string, neededBytes: number): Promise<LogError> {
  const code = lmdbCode(cause);
  const isFull =
    code === errnoNoSpace ||
    code === errnoQuota ||
    code === mapFull ||
    (code === errnoIo && (await freeBytes(dir)) < neededBytes * 2 + slackBytes);
  return isFull
    ? new LogError("LOG_FULL", "no room on the log's disk; nothing was stored", { cause })
    : new LogError("LOG_FAILED", "the log's disk refused a write; nothing was stored", { cause });
}

function lmdbCode(cause: unknown): number | undefined {
  if (!(cause instanceof Error && "code" in cause)) return undefined;
  return typeof cause.code === "number" ? Math.trunc(cause.code) : undefined;
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
