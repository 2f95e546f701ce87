// What the disks have done since the machine started, from /proc/diskstats.

/** Counters that only grow. */
export interface DiskCounters {
  readonly reads: number;
  readonly writes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Always 512 bytes, whatever the disk's own are (kernel.org, admin-guide/iostats). */
const sectorBytes = 512;
/** Made of other devices, or of memory: counted there, or no disk. */
const virtual = /^(?:loop|ram|zram|dm-|md|sr|fd|nbd)\d/;
/** `vda1`, `nvme0n1p2`: a part of a device that has its own line. */
const partition = /^(?<disk>(?:[a-z]+d[a-z]+)|(?:(?:nvme\d+n|mmcblk)\d+)(?=p\d))p?\d+$/;

/** The sum over whole, physical devices. Lines that are not as expected count as nothing. */
export function readDiskCounters(diskstats: string): DiskCounters {
  const sum = { reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 };
  for (const line of diskstats.split("\n")) {
    const [, , name = "", reads, , sectorsRead, , writes, , sectorsWritten] = line.trim().split(/\s+/);
    if (name === "" || virtual.test(name) || partition.test(name)) continue;
    sum.reads += count(reads);
    sum.writes += count(writes);
    sum.readBytes += count(sectorsRead) * sectorBytes;
    sum.writtenBytes += count(sectorsWritten) * sectorBytes;
  }
  return sum;
}

function count(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}
