import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBackoff } from "./backoff.js";

describe("Backoff", () => {
  it("doubles its spread from 500 ms to a cap of 20 s", () => {
    const backoff = createBackoff(() => 0.999_999);
    expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([
      1_000, 1_500, 2_500, 4_500, 8_500, 16_500, 20_000, 20_000,
    ]);
  });

  it("begins again when a connection held longer than the wait for it, or 5 s", () => {
    const backoff = createBackoff(() => 1);
    expect([backoff.next(), backoff.next()]).toEqual([1_000, 1_500]);
    backoff.held(1_499);
    expect(backoff.attempts).toBe(2);
    backoff.held(1_500);
    expect([backoff.attempts, backoff.next()]).toEqual([0, 1_000]);
    for (let attempt = 0; attempt < 9; attempt += 1) backoff.next();
    backoff.held(4_999);
    expect(backoff.next()).toBe(20_000);
    backoff.held(5_000);
    expect(backoff.next()).toBe(1_000);
  });

  it("stays within 500 ms and 20 s for ever", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(3_000), (random, attempts) => {
        const backoff = createBackoff(() => random);
        for (let attempt = 0; attempt < attempts; attempt += 1) backoff.next();
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(500);
        expect(wait).toBeLessThanOrEqual(20_000);
      }),
      { numRuns: 50 },
    );
  });
});
