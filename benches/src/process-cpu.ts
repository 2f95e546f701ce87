// What other processes have run, as the kernel counts it (proc(5)).

import { readdirSync, readFileSync } from "node:fs";

const nsPerMs = 1e6;

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
