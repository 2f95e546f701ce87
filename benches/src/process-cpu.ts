// What other processes have run, as the kernel counts it (proc(5)).

import { readdirSync, readFileSync } from "node:fs";

const nsPerMs = 1e6;
/** `sysconf(_SC_CLK_TCK)` of every Linux. */
const ticksPerS = 100;
const msPerTick = 1000 / ticksPerS;
/** Where `utime` stands in `/proc/<pid>/stat` behind the program's name; `stime` is next. */
const userTimeField = 11;
/** Where a core's stolen time stands in its line of `/proc/stat`, behind the name. */
const stolenField = 8;

/** Processes that `pid` has started and that are still there. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Time on a core of all threads of `pid` that are still there, ms. */
export function ranMs(pid: number): number {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]);
  }
  return ns / nsPerMs;
}

/** CPU of all threads that `pid` has had, user's and system's, ms in steps of 10. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  return (Number(fields[userTimeField]) + Number(fields[userTimeField + 1])) * msPerTick;
}

/**
 * Time that a core wanted to run and its host gave to somebody else, since it was started, ms in steps of 10; 0 where
 * nobody says. A stop of this kind stands in the latency of whatever was under way.
 */
export function stolenMs(core: number): number {
  const line = readFileSync("/proc/stat", "latin1").match(new RegExp(`^cpu${core} .*$`, "m"))?.[0] ?? "";
  return Number(line.split(" ")[stolenField] ?? 0) * msPerTick;
}
