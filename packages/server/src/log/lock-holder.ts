// Who holds a lock, and whether that process still lives.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

/** A process that holds a lock. What the system does not tell is null. */
export interface LockHolder {
  /** A UUID, different for every acquisition. */
  readonly token: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot: a later process with the same pid has another. */
  readonly started: string | null;
  /** The boot of the machine. */
  readonly boot: string | null;
  readonly host: string;
}

/** Tokens become part of file names. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Describes this process, with a new token. */
export async function describeThisProcess(): Promise<LockHolder> {
  return {
    token: randomUUID(),
    pid: process.pid,
    started: await startOf(process.pid),
    boot: await bootId(),
    host: hostname(),
  };
}

/** Reads what a lock file says; undefined where it is not one of ours (those are only ever seen whole). */
export function parseHolder(text: string): LockHolder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isHolder(value) ? value : undefined;
}

/**
 * Whether the holder may still live. After another boot it does not, since an embedded log is on a file system of one
 * machine. A process of another host name on this boot runs in another container and cannot be seen: it counts as
 * alive. Else its pid must exist, and have been started when the holder says.
 *
 * @param me this process
 */
export async function isAlive(holder: LockHolder, me: LockHolder): Promise<boolean> {
  if (holder.boot !== null && me.boot !== null && holder.boot !== me.boot) return false;
  if (holder.host !== me.host) return true;
  if (holder.started !== null && me.started !== null) return (await startOf(holder.pid)) === holder.started;
  return isRunning(holder.pid);
}

function isHolder(value: unknown): value is LockHolder {
  if (typeof value !== "object" || value === null) return false;
  const isTextOrNull = (key: string): boolean => {
    const member: unknown = Reflect.get(value, key);
    return member === null || typeof member === "string";
  };
  const has = (key: string, type: string): boolean => typeof Reflect.get(value, key) === type;
  return (
    uuid.test(String(Reflect.get(value, "token"))) &&
    has("pid", "number") &&
    has("host", "string") &&
    isTextOrNull("started") &&
    isTextOrNull("boot")
  );
}

async function bootId(): Promise<string | null> {
  return (await readIfThere("/proc/sys/kernel/random/boot_id"))?.trim() ?? null;
}

/**
 * Field 22 of /proc/<pid>/stat (proc(5)), null where there is no such process or only its zombie. The name in field 2
 * may hold spaces and parentheses.
 */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  const fieldsFromThird = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const isDead = fieldsFromThird[0] === "Z" || fieldsFromThird[0] === "X";
  return isDead ? null : (fieldsFromThird[22 - 3] ?? null);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
