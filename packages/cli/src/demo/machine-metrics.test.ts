import { parsePublishedEvent } from "@sluice/protocol";
import { describe, expect, it } from "vitest";
import { machineMetrics } from "./machine-metrics.js";
import { type MachineReading, readMachine } from "./machine-reading.js";

const before: MachineReading = {
  atMs: 1_000,
  cpuTimes: [{ busy: 0, idle: 0 }],
  memory: { total: 1_000, available: 250 },
  load: [0.123, 1, 2],
  uptimeS: 77.7,
  fileSystem: { total: 2_000, available: 1_000 },
  disk: { reads: 0, writes: 10, readBytes: 0, writtenBytes: 5_000 },
  network: new Map([["eth0", { receivedBytes: 100, receivedPackets: 1, sentBytes: 0, sentPackets: 0 }]]),
};
const after: MachineReading = {
  ...before,
  atMs: 3_000,
  cpuTimes: [{ busy: 1, idle: 1 }],
  disk: { reads: 4, writes: 10, readBytes: 8_192, writtenBytes: 0 },
  network: new Map([
    ["eth0", { receivedBytes: 2_100, receivedPackets: 5, sentBytes: 10, sentPackets: 2 }],
    ["eth1", { receivedBytes: 999_999, receivedPackets: 9, sentBytes: 9, sentPackets: 9 }],
  ]),
};
const bySubject = (events: ReturnType<typeof machineMetrics>) =>
  new Map(events.map(({ subject, payload }) => [subject, payload]));

describe("machineMetrics", () => {
  it("makes one event of each group", () => {
    const events = machineMetrics(before, after, "here");
    expect(events.map(({ subject }) => subject)).toEqual(["cpu", "memory", "load", "disk", "network"]);
    for (const event of events) {
      expect(event).toMatchObject({ event_type: "METRIC_UPDATE", cluster_id: "local", source: "here" });
      expect(parsePublishedEvent(event, { payloadBytesMax: 10_000, receivedAt: "" }).ok).toBe(true);
    }
  });

  it("counts rates by the second, from nothing where an interface is new, and never below 0", () => {
    const metrics = bySubject(machineMetrics(before, after, "here"));
    expect(metrics.get("cpu")).toEqual({ total_percent: 50, core_percent: [50], cores: 1 });
    expect(metrics.get("memory")).toEqual({
      total_bytes: 1_000,
      used_bytes: 750,
      available_bytes: 250,
      used_percent: 75,
    });
    expect(metrics.get("load")).toEqual({ load_1m: 0.12, load_5m: 1, load_15m: 2, uptime_s: 78 });
    expect(metrics.get("disk")).toMatchObject({
      used_percent: 50,
      read_bytes_per_s: 4_096,
      written_bytes_per_s: 0,
      reads_per_s: 2,
      writes_per_s: 0,
    });
    const eth0 = { received_bytes_per_s: 1_000, received_packets_per_s: 2, sent_bytes_per_s: 5, sent_packets_per_s: 1 };
    const none = { received_bytes_per_s: 0, received_packets_per_s: 0, sent_bytes_per_s: 0, sent_packets_per_s: 0 };
    expect(metrics.get("network")).toEqual({ ...eth0, interfaces: { eth0, eth1: none } });
  });

  it("leaves out what the machine does not tell", () => {
    const poor = { ...after, load: undefined, disk: undefined, network: undefined, fileSystem: undefined };
    expect(machineMetrics(before, poor, "here").map(({ subject }) => subject)).toEqual(["cpu", "memory"]);
    const withSpace = bySubject(machineMetrics(before, { ...poor, fileSystem: { total: 4, available: 1 } }, "here"));
    expect(withSpace.get("disk")).toEqual({ total_bytes: 4, used_bytes: 3, available_bytes: 1, used_percent: 75 });
  });
});

describe("readMachine", () => {
  it("reads this machine", async () => {
    const reading = await readMachine(5);
    expect(reading.atMs).toBe(5);
    expect(reading.cpuTimes.length).toBeGreaterThan(0);
    expect(reading.memory.available).toBeLessThan(reading.memory.total);
    expect(reading.fileSystem?.total).toBeGreaterThan(0);
  });
});
