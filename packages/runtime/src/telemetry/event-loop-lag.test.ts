import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { collectEventLoopLag, eventLoopLagNames, lagSeconds, Lateness } from "./event-loop-lag.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("counts as lateness what is beyond the time that was to pass since the last time", () => {
  const lateness = new Lateness(250, 1000);
  expect(lateness.take(1255)).toBe(5);
  expect(lateness.take(1505)).toBe(0);
  expect(lateness.take(1600)).toBe(0);
  expect(lateness.take(2850)).toBe(1000);
});

it("tells of nanoseconds in seconds", () => {
  expect(lagSeconds(5e6)).toBeCloseTo(0.005, 9);
  expect(lagSeconds(Number.NaN)).toBe(0);
});

it("shows every figure under its name, of what was sampled since the last look", async () => {
  const registry = new Registry();
  collectEventLoopLag(registry);
  vi.advanceTimersByTime(3000);
  const text = await registry.metrics();
  for (const name of eventLoopLagNames) expect(text).toContain(`# TYPE ${name} gauge`);
  expect(text).toMatch(/nodejs_eventloop_lag_max_seconds [0-9.e-]+\n/);
});
