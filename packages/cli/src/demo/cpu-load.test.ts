import { describe, expect, it } from "vitest";
import { cpuLoad, readCpuTimes } from "./cpu-load.js";

describe("cpuLoad", () => {
  it("is the busy share of what has passed between two samples", () => {
    const before = [
      { busy: 100, idle: 900 },
      { busy: 500, idle: 500 },
    ];
    const after = [
      { busy: 125, idle: 975 },
      { busy: 600, idle: 500 },
    ];
    expect(cpuLoad(before, after)).toEqual({ total_percent: 62.5, core_percent: [25, 100], cores: 2 });
  });

  it("rounds to one decimal", () => {
    expect(cpuLoad([{ busy: 0, idle: 0 }], [{ busy: 1, idle: 2 }]).total_percent).toBe(33.3);
  });

  it("is 0 when no time has passed, and when counters were set back", () => {
    const sample = [{ busy: 5, idle: 5 }];
    expect(cpuLoad(sample, sample).total_percent).toBe(0);
    expect(cpuLoad(sample, [{ busy: 1, idle: 1 }])).toEqual({ total_percent: 0, core_percent: [0], cores: 1 });
  });

  it("counts a processor that has come meanwhile from nothing", () => {
    expect(cpuLoad([], [{ busy: 1, idle: 3 }]).core_percent).toEqual([25]);
  });
});

describe("readCpuTimes", () => {
  it("sums up all kinds of work", () => {
    expect(readCpuTimes([{ times: { user: 1, nice: 2, sys: 4, idle: 8, irq: 16 } }])).toEqual([{ busy: 23, idle: 8 }]);
  });
});
