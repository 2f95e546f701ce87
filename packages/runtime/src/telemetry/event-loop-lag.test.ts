import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { collectEventLoopLag, eventLoopLagNames, lagSampleMs, lagSeconds } from "./event-loop-lag.js";

it("counts as lag what is beyond the time that was to pass", () => {
  const sampleNs = lagSampleMs * 1e6;
  expect(lagSeconds(sampleNs + 5e6)).toBeCloseTo(0.005, 9);
  expect(lagSeconds(sampleNs)).toBe(0);
  expect(lagSeconds(sampleNs - 1e6)).toBe(0);
  expect(lagSeconds(5e6, true)).toBeCloseTo(0.005, 9);
  expect(lagSeconds(Number.NaN)).toBe(0);
});

it("shows every figure under its name", async () => {
  const registry = new Registry();
  collectEventLoopLag(registry);
  const text = await registry.metrics();
  for (const name of eventLoopLagNames) expect(text).toContain(`# TYPE ${name} gauge`);
});
