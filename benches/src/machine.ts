// What a measurement was made on: absolute figures belong to a machine, and this says to which.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** The machine and the versions of what runs on it. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** What else is measured, by the names of its packages; what isn't installed is left out. */
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string;
  /** Of the last minute before the run: over half of `cores` says that others were busy. */
  readonly loadBefore: number;
}

const packages = ["ws", "lmdb", "socket.io", "@oven/bun-linux-x64", "http-proxy-3", "@fastify/http-proxy"] as const;
const places = ["../node_modules/", "../../node_modules/", "../peers/node_modules/"] as const;

function versionOf(name: string): string | undefined {
  for (const place of places) {
    try {
      const text = readFileSync(new URL(`${place}${name}/package.json`, import.meta.url), "utf8");
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      // It may be in the next place, or nowhere.
    }
  }
  return undefined;
}

export function describeMachine(): Machine {
  const git = spawnSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" });
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    packages: Object.fromEntries(
      packages.flatMap((name) => {
        const version = versionOf(name);
        return version === undefined ? [] : [[name, version]];
      }),
    ),
    commit: git.status === 0 ? git.stdout.trim() : "unknown",
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}
