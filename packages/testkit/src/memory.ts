// What a process takes of the machine's memory, read from /proc: its own word for it would run in its own event loop.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const pageBytes = 4096;
const sampleMs = 25;

/** Resident set of a process, bytes. @throws when it has gone. */
export function residentBytes(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1];
  return Number(pages) * pageBytes;
}

/** A running measurement of a process's resident set. */
export interface MemoryWatch extends Disposable {
  /** The first reading, bytes. */
  readonly startBytes: number;
  /** The greatest reading so far, bytes. */
  readonly peakBytes: number;
}

/** Samples a process's resident set every 25 ms until disposed. */
export function watchMemory(pid: number): MemoryWatch {
  const startBytes = residentBytes(pid);
  let peakBytes = startBytes;
  const look = (): void => {
    peakBytes = Math.max(peakBytes, residentBytes(pid));
  };
  const timer = setInterval(look, sampleMs);
  return {
    startBytes,
    get peakBytes() {
      look();
      return peakBytes;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What this process's heap holds after a full collection, bytes: what is in use, and not what waits to be swept. */
export function heapUsedAfterCollection(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
