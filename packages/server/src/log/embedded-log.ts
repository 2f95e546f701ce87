// The default engine: durable on this machine, in LMDB. Opening checks what is there and changes none of it.
import { mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readCheckedBlockHeader } from "./block-header.js";
import { createLmdbFile } from "./create-lmdb-file.js";
import { DirectoryLock } from "./directory-lock.js";
import { EmbeddedStore } from "./embedded-store.js";
import { LogError, type EventLog } from "./event-log.js";
import { FileHeadroom } from "./file-headroom.js";
import { checkLmdbFile } from "./lmdb-file-check.js";
import { blockAt, metaKey, newestKeys, openLmdb, type LmdbDatabase } from "./lmdb-database.js";
import type { LogOptions } from "./log-options.js";
import { decodeMeta, type MetaRecord } from "./meta-record.js";
import { rememberIds } from "./remember-ids.js";
import { StoredLog } from "./stored-log.js";

/** Options of the embedded engine. */
export interface EmbeddedLogOptions extends LogOptions {
  /**
   * Directory of the log alone, on a file system of this machine (LMDB maps it, which network file systems do not
   * bear); made where it is not there. Holds `events.mdb`, `events.mdb-lock` and, while open, `lock`.
   */
  readonly dir: string;
}

/** Name of the database in its directory. */
export const fileName = "events.mdb";

/**
 * Opens the log in `options.dir`, or makes one, with a new epoch.
 *
 * @throws {LogError} `LOG_LOCKED` naming the process that has it open, this one included; `LOG_DAMAGED` where the file
 *   is cut or a check of what it says of itself or of its newest blocks fails; `LOG_FORMAT` where another version
 *   wrote it. Nothing is changed then. Errors of the file system as they come.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  await mkdir(options.dir, { recursive: true });
  const lock = await DirectoryLock.acquire(options.dir);
  try {
    const path = join(options.dir, fileName);
    if (!existsSync(path)) await createLmdbFile(path);
    await checkLmdbFile(path);
    return await openDatabase(path, options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openDatabase(path: string, options: EmbeddedLogOptions, lock: DirectoryLock): Promise<EventLog> {
  const headroom = await FileHeadroom.open(path);
  const db = openChecked(path);
  try {
    const meta = readMeta(db);
    const remembered = rememberIds(db, options.dedup, options.clock.wall());
    const store = new EmbeddedStore({ db, headroom, lock, limits: options.retention, meta });
    return new StoredLog(store, options, remembered);
  } catch (error) {
    await db.close();
    await headroom.close();
    throw error;
  }
}

function openChecked(path: string): LmdbDatabase {
  try {
    return openLmdb(path);
  } catch (cause) {
    throw new LogError("LOG_DAMAGED", `LMDB cannot open ${path}`, { cause });
  }
}

function readMeta(db: LmdbDatabase): MetaRecord {
  const value = db.getBinary(metaKey);
  if (value === undefined) throw new LogError("LOG_DAMAGED", "the log has no meta record");
  const meta = decodeMeta(Buffer.from(value));
  const lastSeq = newestSeq(db) ?? meta.oldest - 1;
  if (lastSeq !== meta.head) {
    throw new LogError("LOG_DAMAGED", `the log's newest seq is ${lastSeq}, and by its meta record ${meta.head}`);
  }
  return meta;
}

function newestSeq(db: LmdbDatabase): number | undefined {
  const [key] = newestKeys(db);
  return key === undefined ? undefined : key + readCheckedBlockHeader(blockAt(db, key), key).records - 1;
}
