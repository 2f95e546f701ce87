import { describe, expect, it } from "vitest";
import { Liveness } from "./liveness.js";

const heartbeat = { interval_ms: 30_000, timeout_ms: 10_000 };

function greeted(now = 0): Liveness {
  const liveness = new Liveness(now);
  liveness.begin(heartbeat, now);
  return liveness;
}

describe("Liveness", () => {
  it("waits 10 s for the greeting", () => {
    const liveness = new Liveness(0);
    expect(liveness.look(9_999)).toEqual({ act: "wait", ms: 1 });
    expect(liveness.look(10_000)).toEqual({ act: "lost", silentMs: 10_000 });
  });

  it("asks once after an interval and a margin, and is lost when nobody answers in time", () => {
    const liveness = greeted();
    expect(liveness.look(31_999)).toEqual({ act: "wait", ms: 1 });
    expect(liveness.look(32_000)).toEqual({ act: "probe", ms: 10_000 });
    expect(liveness.look(41_999)).toEqual({ act: "wait", ms: 1 });
    expect(liveness.look(42_000)).toEqual({ act: "lost", silentMs: 42_000 });
  });

  it("is satisfied by anything that comes", () => {
    const liveness = greeted();
    liveness.look(32_000);
    liveness.heard(41_999);
    expect(liveness.look(42_000)).toEqual({ act: "wait", ms: 31_999 });
  });

  it("asks a tab's server after a sleep of hours before it gives it up", () => {
    const liveness = greeted();
    expect(liveness.look(10_000_000)).toEqual({ act: "probe", ms: 10_000 });
  });

  it("asks at once when in doubt, but not before the greeting and not while nothing is read", () => {
    const liveness = greeted();
    liveness.doubt(1_000);
    expect(liveness.look(1_000).act).toBe("probe");
    const early = new Liveness(0);
    early.doubt(1_000);
    expect(early.look(1_000)).toEqual({ act: "wait", ms: 9_000 });
    const suspended = greeted();
    suspended.suspend();
    suspended.doubt(1_000);
    expect(suspended.look(1_000_000)).toEqual({ act: "wait", ms: 32_000 });
    suspended.resume(1_000_000);
    expect(suspended.look(1_000_001)).toEqual({ act: "wait", ms: 31_999 });
  });

  it("measures round trip and skew", () => {
    const liveness = greeted();
    expect([liveness.roundTripMs, liveness.skewMs]).toEqual([undefined, undefined]);
    liveness.answered(1_000, 1_100, 5_000_250, 5_000_100);
    expect([liveness.roundTripMs, liveness.skewMs]).toEqual([100, 200]);
    liveness.answered(1_000, 1_040, Number.NaN, 0);
    expect([liveness.roundTripMs, liveness.skewMs]).toEqual([40, 200]);
  });
});
