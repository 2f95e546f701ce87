// Exclusive use of a directory by one process, in the style of PostgreSQL's postmaster.pid: a file that names its
// holder, so that one left by a process that was killed is told from one that is held.
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { LogError } from "./event-log.js";
import { describeThisProcess, isAlive, parseHolder, type LockHolder } from "./lock-holder.js";

const lockName = "lock";
/** Others may take a stale lock at the same moment; more rounds than this mean that somebody holds it. */
const attemptsMax = 5;

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
    const draft = `${path}.${me.token}`;
    try {
      await writeDurably(draft, `${JSON.stringify(me)}\n`);
      for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
        if (await linked(draft, path)) return new DirectoryLock(path, me.token);
        const text = await readText(path);
        if (text === undefined) continue;
        const holder = parseHolder(text);
        if (holder !== undefined && (await isAlive(holder, me))) throw lockedError(path, holder);
        await removeStale(path, text);
      }
      throw new LogError("LOG_LOCKED", `${path} is being taken by another process`);
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

/** Moves the lock away if it still reads `staleText`; one that somebody took meanwhile is put back. */
async function removeStale(path: string, staleText: string): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  if ((await readText(aside)) !== staleText) await linked(aside, path);
  await rm(aside, { force: true });
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function lockedError(path: string, holder: LockHolder): LogError {
  const message = `the log is in use by process ${holder.pid} on ${holder.host}, as ${path} says`;
  return new LogError("LOG_LOCKED", message);
}
