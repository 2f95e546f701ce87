// Memory that programs could still have, from /proc/meminfo.

/** `MemAvailable` in bytes; undefined where the kernel doesn't say. */
export function readAvailableMemory(meminfo: string): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo);
  return match === null ? undefined : Number(match[1]) * 1_024;
}
