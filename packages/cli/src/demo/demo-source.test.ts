import type { PublishOutcome } from "@sluice/server";
import { describe, expect, it, vi } from "vitest";
import { DemoSource } from "./demo-source.js";
import type { MachineReading } from "./machine-reading.js";

const accepted: PublishOutcome = { outcome: "accepted", accepted: 1, firstSeq: 1, lastSeq: 1, duplicates: 0 };
const full: PublishOutcome = { outcome: "unavailable", code: "LOG_FULL" };
const reading = (atMs: number): MachineReading => ({
  atMs,
  cpuTimes: [],
  memory: { total: 1, available: 1 },
  load: undefined,
  uptimeS: 1,
  fileSystem: undefined,
  disk: undefined,
  network: undefined,
});

function demo(publish: () => Promise<PublishOutcome>) {
  const onTrouble = vi.fn();
  const published = vi.fn(publish);
  const read = (nowMs: number) => Promise.resolve(reading(nowMs));
  const source = new DemoSource({ publish: published, intervalMs: 1_000, onTrouble, read });
  return { source, onTrouble, published };
}

describe("DemoSource", () => {
  it("publishes from the second reading on", async () => {
    const { source, published } = demo(() => Promise.resolve(accepted));
    await source.tick();
    expect(published).not.toHaveBeenCalled();
    await source.tick();
    expect(published).toHaveBeenCalledTimes(1);
  });

  it("complains once of a trouble, and again only after it was over", async () => {
    const outcomes = [full, full, accepted, full];
    const { source, onTrouble } = demo(() => Promise.resolve(outcomes.shift() ?? accepted));
    for (let tick = 0; tick < 5; tick += 1) await source.tick();
    expect(onTrouble.mock.calls).toEqual([["LOG_FULL"], ["LOG_FULL"]]);
  });

  it("outlives what is thrown", async () => {
    const { source, onTrouble } = demo(() => Promise.reject(new Error("odd")));
    await source.tick();
    await source.tick();
    expect(onTrouble).toHaveBeenCalledWith("odd");
  });

  it("leaves out a tick while the last one still publishes", async () => {
    let finish: (outcome: PublishOutcome) => void = () => undefined;
    const { source, published } = demo(() => new Promise((resolve) => (finish = resolve)));
    await source.tick();
    const slow = source.tick();
    await vi.waitFor(() => expect(published).toHaveBeenCalledTimes(1));
    await source.tick();
    finish(accepted);
    await slow;
    expect(published).toHaveBeenCalledTimes(1);
  });
});
