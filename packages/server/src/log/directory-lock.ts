// Exclusive use of a directory by one process, in the style of PostgreSQL's postmaster.pid: a file that names its
// holder, so that one left by a process that was killed is told from one that is held.
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { LogError } from "./event-log.js";
import { describeThisProcess, isAlive, parseHolder, type LockHolder } from "./lock-holder.js";

const lockName = "lock";
/** Rounds in which a lock was there and then was not; more of them are no accident. */
const attemptsMax = 10;

/** A held lock. */
export class DirectoryLock {
  readonly #path: string;
  readonly #token: string;

  private constructor(path: string, token: string) {
    this.#path = path;
    this.#token = token;
  }

  /**
   * Takes the lock of `dir`, which exists; one left by a dead process is taken over.
   * @throws {LogError} `LOG_LOCKED` naming the holder
   */
  static async acquire(dir: string): Promise<DirectoryLock> {
    const path = join(dir, lockName);
    const me = await describeThisProcess();
    // Linked, not created and then written: nobody ever reads a half-written lock.
    const draft = `${path}.${me.token}.draft`;
    try {
      await writeDurably(draft, `${JSON.stringify(me)}\n`);
      await claim(path, draft, me);
      return new DirectoryLock(path, me.token);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Gives the lock up; does nothing where somebody removed the file meanwhile. */
  async release(): Promise<void> {
    const text = await readText(this.#path);
    if (text !== undefined && parseHolder(text)?.token === this.#token) await rm(this.#path, { force: true });
  }
}

/**
 * Makes `path` a link to `draft`, if no living process holds it. A stale lock is replaced under a guard, itself a lock,
 * that is named for the stale one: of many who find it stale, one replaces it, and who comes later finds it replaced.
 */
async function claim(path: string, draft: string, me: LockHolder): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    if (await linked(draft, path)) return;
    const text = await readText(path);
    if (text === undefined) continue;
    const holder = parseHolder(text);
    if (holder !== undefined && (await isAlive(holder, me))) throw lockedError(path, holder);
    const guard = `${path}.${holder?.token ?? "unreadable"}`;
    await claim(guard, draft, me);
    try {
      if ((await readText(path)) === text) return await replace(path, draft);
    } finally {
      await rm(guard, { force: true });
    }
  }
  throw new LogError("LOG_LOCKED", `${path} comes and goes; other processes are taking it`);
}

async function replace(path: string, draft: string): Promise<void> {
  const next = `${draft}.next`;
  await link(draft, next);
  await rename(next, path);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function lockedError(path: string, holder: LockHolder): LogError {
  const message = `the log is in use by process ${holder.pid} on ${holder.host} (${path})`;
  return new LogError("LOG_LOCKED", message);
}
