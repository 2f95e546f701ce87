// One look at this machine: everything that the metrics are made of. Linux tells it all; elsewhere what Node knows.
import { readFile, statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, platform, totalmem, uptime } from "node:os";
import { readAvailableMemory } from "./available-memory.js";
import { type CpuTime, readCpuTimes } from "./cpu-load.js";
import { type DiskCounters, readDiskCounters } from "./disk-counters.js";
import { type NetworkCounters, readNetworkCounters } from "./network-counters.js";

/** Raw numbers; counters are since the machine started. */
export interface MachineReading {
  /** Monotonic, ms. */
  readonly atMs: number;
  readonly cpuTimes: readonly CpuTime[];
  readonly memory: { readonly total: number; readonly available: number };
  /** Over 1, 5 and 15 minutes; undefined where there is none (Windows). */
  readonly load: readonly [number, number, number] | undefined;
  readonly uptimeS: number;
  /** Of the file system that holds the working directory, bytes. */
  readonly fileSystem: { readonly total: number; readonly available: number } | undefined;
  readonly disk: DiskCounters | undefined;
  readonly network: ReadonlyMap<string, NetworkCounters> | undefined;
}

/** Reads the machine. What it doesn't tell is undefined; never throws for it. */
export async function readMachine(nowMs: number, path = "."): Promise<MachineReading> {
  const [meminfo, diskstats, netDev, fileSystem] = await Promise.all([
    readIfThere("/proc/meminfo"),
    readIfThere("/proc/diskstats"),
    readIfThere("/proc/net/dev"),
    statfs(path).catch(() => undefined),
  ]);
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  const available = meminfo === undefined ? undefined : readAvailableMemory(meminfo);
  return {
    atMs: nowMs,
    cpuTimes: readCpuTimes(cpus()),
    memory: { total: totalmem(), available: available ?? freemem() },
    load: platform() === "win32" ? undefined : [one, five, fifteen],
    uptimeS: uptime(),
    fileSystem: fileSystem && {
      total: fileSystem.blocks * fileSystem.bsize,
      available: fileSystem.bavail * fileSystem.bsize,
    },
    disk: diskstats === undefined ? undefined : readDiskCounters(diskstats),
    network: netDev === undefined ? undefined : readNetworkCounters(netDev),
  };
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
