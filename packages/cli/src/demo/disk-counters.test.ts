import { describe, expect, it } from "vitest";
import { readDiskCounters } from "./disk-counters.js";

const diskstats = `   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9
 254       0 vda 100 21099 2000 94538 60 64995 4000 32698 0 27872 135069 42000 51 2492640 6966 11519 866
 254       1 vda1 90 21099 1900 94538 50 64995 3900 32698 0 27872 135069
   8       0 sda 10 0 20 0 1 0 2 0 0 0 0
   8       1 sda1 10 0 20 0 1 0 2 0 0 0 0
 259       0 nvme0n1 1 0 1 0 1 0 1 0 0 0 0
 259       1 nvme0n1p1 1 0 1 0 1 0 1 0 0 0 0
 179       0 mmcblk0 1 0 1 0 1 0 1 0 0 0 0
 179       1 mmcblk0p1 1 0 1 0 1 0 1 0 0 0 0
 253       0 zram0 5 0 5 0 5 0 5 0 0 0 0
 252       0 dm-0 5 0 5 0 5 0 5 0 0 0 0
`;

describe("readDiskCounters", () => {
  it("sums whole disks, not their parts and not what is made of them", () => {
    expect(readDiskCounters(diskstats)).toEqual({
      reads: 112,
      writes: 63,
      readBytes: 2_022 * 512,
      writtenBytes: 4_004 * 512,
    });
  });

  it("is not thrown by what it does not know", () => {
    const nothing = { reads: 0, writes: 0, readBytes: 0, writtenBytes: 0 };
    expect(readDiskCounters("")).toEqual(nothing);
    expect(readDiskCounters("8 0 sda\nnonsense\n8 0 sdb x x x x x x x\n")).toEqual(nothing);
  });
});
