import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMaxMs, backoffMinMs, ReconnectBackoff } from "./reconnect-backoff.js";

describe("ReconnectBackoff", () => {
  it("doubles its spread from 500 ms to a cap of 20 s", () => {
    const backoff = new ReconnectBackoff(() => 0.999_999);
    const waits = Array.from({ length: 8 }, () => backoff.next());
    expect(waits).toEqual([1_000, 1_500, 2_500, 4_500, 8_500, 16_500, 20_000, 20_000]);
  });

  it("never waits less than 500 ms", () => {
    const backoff = new ReconnectBackoff(() => 0);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([500, 500, 500]);
  });

  it("begins again after a success", () => {
    const backoff = new ReconnectBackoff(() => 0.5);
    backoff.next();
    backoff.next();
    expect(backoff.attempts).toBe(2);
    backoff.reset();
    expect([backoff.attempts, backoff.next()]).toEqual([0, 750]);
  });

  it("stays within its bounds for ever", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.nat(2_000), (random, attempts) => {
        const backoff = new ReconnectBackoff(() => random);
        for (let attempt = 0; attempt < attempts; attempt += 1) backoff.next();
        const wait = backoff.next();
        expect(wait).toBeGreaterThanOrEqual(backoffMinMs);
        expect(wait).toBeLessThanOrEqual(backoffMaxMs);
      }),
    );
  });
});
