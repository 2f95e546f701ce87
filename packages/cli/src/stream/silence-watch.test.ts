import { describe, expect, it } from "vitest";
import { greetingMaxMs, SilenceWatch } from "./silence-watch.js";

describe("SilenceWatch", () => {
  it("waits 10 s for the greeting", () => {
    const watch = new SilenceWatch(1_000);
    expect(watch.remainingMs(1_000)).toBe(greetingMaxMs);
    expect(watch.remainingMs(1_000 + greetingMaxMs)).toBe(0);
  });

  it("then waits for the announced rhythm and 2 s of margin, from the last word on", () => {
    const watch = new SilenceWatch(0);
    watch.setHeartbeat({ interval_ms: 30_000, timeout_ms: 10_000 });
    watch.heard(5_000);
    expect(watch.remainingMs(46_999)).toBe(1);
    expect(watch.remainingMs(47_000)).toBe(0);
  });

  it("does not hold our own pause against the server", () => {
    const watch = new SilenceWatch(0);
    watch.setHeartbeat({ interval_ms: 1_000, timeout_ms: 1_000 });
    watch.suspend();
    expect(watch.remainingMs(1_000_000)).toBe(4_000);
    watch.resume(1_000_000);
    expect(watch.remainingMs(1_003_999)).toBe(1);
    expect(watch.remainingMs(1_004_000)).toBe(0);
  });
});
