// What a measurement was made on: absolute figures belong to a machine, and this says to which.

import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** The machine and the versions of what ran on it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  /** Of the last minute before the run: over half of `cores` says that others were busy. */
  readonly loadBefore: number;
}

export function describeMachine(): Machine {
  const git = spawnSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" });
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    commit: git.status === 0 ? git.stdout.trim() : "unknown",
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
