import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.js";

/** How many of `count` takes at one moment succeed. */
function taken(bucket: TokenBucket, nowMs: number, count = 1000): number {
  return Array.from({ length: count }, () => bucket.take(nowMs)).filter(Boolean).length;
}

describe("TokenBucket", () => {
  it("gives a burst at the start, and no more", () => {
    expect(taken(new TokenBucket({ perSecond: 10, burst: 25 }, 0), 0)).toBe(25);
  });

  it("gives back at its rate", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 25 }, 0);
    taken(bucket, 0);
    expect(taken(bucket, 99)).toBe(0);
    expect(taken(bucket, 100)).toBe(1);
    expect(taken(bucket, 1100)).toBe(10);
  });

  it("adds up parts of a token", () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
    taken(bucket, 0);
    for (let nowMs = 125; nowMs < 1000; nowMs += 125) expect(bucket.take(nowMs)).toBe(false);
    expect(bucket.take(1000)).toBe(true);
  });

  it("never holds more than a burst", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 25 }, 0);
    taken(bucket, 0);
    expect(taken(bucket, 3_600_000)).toBe(25);
  });

  it("gives nothing for a clock that goes back", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 1 }, 1000);
    taken(bucket, 1000);
    expect(bucket.take(0)).toBe(false);
  });
});
