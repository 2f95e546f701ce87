import { policies, type Policy } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BackpressureHandler } from "./backpressure-handler.js";

const handler = new BackpressureHandler({ highWatermark: 0.8, lowWatermark: 0.5 });

describe("decide", () => {
  it.each([
    [799, false, "keep"],
    [800, false, "pause"],
    [801, false, "pause"],
    [1200, false, "pause"],
    [1000, true, "keep"],
    [501, true, "keep"],
    [500, true, "resume"],
    [499, true, "resume"],
    [0, true, "resume"],
    [0, false, "keep"],
  ])("of 1,000 with %i waiting, paused %s: %s", (pending, isPaused, decision) => {
    expect(handler.decide(pending, 1000, isPaused)).toBe(decision);
  });

  it("pauses a buffer of one when it is full, and resumes it when it is empty", () => {
    expect([handler.decide(1, 1, false), handler.decide(1, 1, true), handler.decide(0, 1, true)]).toEqual([
      "pause",
      "keep",
      "resume",
    ]);
  });

  it("never goes to and fro: what it paused it would not resume, and the other way round", () => {
    const watermarks = fc.tuple(
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(watermarks, fc.integer({ min: 1, max: 1000 }), fc.nat({ max: 2000 }), ([low, high], max, pending) => {
        fc.pre(low < high);
        const any = new BackpressureHandler({ highWatermark: high, lowWatermark: low });
        const isPausedNow = any.decide(pending, max, false) === "pause";
        expect(any.decide(pending, max, isPausedNow)).toBe("keep");
      }),
    );
  });
});

describe("overflow", () => {
  it.each(policies)("has nothing to do up to the limit under %s", (policy) => {
    expect([9, 10].map((pending) => handler.overflow(pending, 10, policy))).toEqual(["none", "none"]);
  });

  it.each<[Policy, string]>([
    ["drop-oldest", "none"],
    ["drop-newest", "freeze"],
    ["replay", "none"],
    ["disconnect", "disconnect"],
  ])("past the limit under %s: %s", (policy, decision) => {
    expect(handler.overflow(11, 10, policy)).toBe(decision);
  });
});
