// Makes the file of an empty log.
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FileHeadroom } from "./file-headroom.js";
import { metaKey, openLmdb } from "./lmdb-database.js";
import { encodeMeta } from "./meta-record.js";

/** Room that a new file takes; LMDB writes four pages of it. */
const newFileBytes = 64 * 1024;

/**
 * Makes the file of an empty log with a new epoch, durably. It is made under another name and moved when whole, so that
 * a file under its own name always holds a log: an empty or half one is damage, and never taken for a new log.
 * @throws what the file system says
 */
export async function createLmdbFile(path: string): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  // Whether there is room is found out here, and not inside LMDB (see FileHeadroom).
  await extend(draft);
  await rm(draft);
  const db = openLmdb(draft);
  db.putSync(metaKey, encodeMeta({ epoch: randomUUID(), head: 0, oldest: 1, bytes: 0 }));
  await db.close();
  await extend(draft);
  await rm(`${draft}-lock`, { force: true });
  await rename(draft, path);
  await syncDirectory(dirname(path));
}

async function extend(path: string): Promise<void> {
  const headroom = await FileHeadroom.open(path);
  try {
    await headroom.ensure(newFileBytes);
    await headroom.sync();
  } finally {
    await headroom.close();
  }
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
