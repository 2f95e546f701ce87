import { describe, expect, it } from "vitest";
import { createLiveness, type Liveness } from "./liveness.js";

const heartbeat = { interval_ms: 30_000, timeout_ms: 10_000 };

function greeted(now = 0): Liveness {
  const liveness = createLiveness(now);
  liveness.begin(heartbeat, now);
  return liveness;
}

/** What is done at `now`: when to look again, 0 for lost, and whether the server is asked. */
function look(liveness: Liveness, now: number): [number, "asks" | "waits"] {
  let asked: "asks" | "waits" = "waits";
  const ms = liveness.look(now, () => (asked = "asks"));
  return [ms, asked];
}

describe("liveness", () => {
  it("waits 10 s for the greeting", () => {
    const liveness = createLiveness(0);
    expect(look(liveness, 9_999)).toEqual([1, "waits"]);
    expect(look(liveness, 10_000)[0]).toBe(0);
  });

  it("asks once after an interval and a margin, and is lost when nobody answers in time", () => {
    const liveness = greeted();
    expect(look(liveness, 31_999)).toEqual([1, "waits"]);
    expect(look(liveness, 32_000)).toEqual([10_000, "asks"]);
    expect(look(liveness, 41_999)).toEqual([1, "waits"]);
    expect(look(liveness, 42_000)).toEqual([0, "waits"]);
  });

  it("is satisfied by anything that comes", () => {
    const liveness = greeted();
    look(liveness, 32_000);
    liveness.heard(41_999);
    expect(look(liveness, 42_000)).toEqual([31_999, "waits"]);
  });

  it("asks a tab's server after a sleep of hours before it gives it up", () => {
    expect(look(greeted(), 10_000_000)).toEqual([10_000, "asks"]);
  });

  it("asks at once when in doubt", () => {
    const liveness = greeted();
    liveness.doubt(1_000);
    expect(look(liveness, 1_000)).toEqual([10_000, "asks"]);
  });
});
