// Tells a disk that is full from one that fails.
import { LogError } from "./event-log.js";

/**
 * What Node says of a full disk and a used-up quota, and LMDB of a file as large as its map. A full disk that LMDB
 * itself runs into is not among them: after one that hits its meta page it refuses, in silence, all that comes.
 */
const fullCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", -30_792]);

/**
 * Names the failure of a commit: `LOG_FULL`, after which a later commit may work, or `LOG_FAILED`, after which none is
 * tried: an fsync that failed is never repeated, since the kernel may have dropped what it could not write.
 */
export function commitError(cause: unknown): LogError {
  const isFull = cause instanceof Error && "code" in cause && fullCodes.has(cause.code);
  return isFull
    ? new LogError("LOG_FULL", "no room on the log's disk; nothing was stored", { cause })
    : new LogError("LOG_FAILED", "the log's disk refused a write; nothing was stored", { cause });
}
