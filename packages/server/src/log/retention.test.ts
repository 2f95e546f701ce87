import { describe, expect, it } from "vitest";
import type { RetentionLimits } from "./log-options.js";
import { isExpired, oldestByCount } from "./retention.js";

const limits = (over: Partial<RetentionLimits>): RetentionLimits => ({
  maxEvents: null,
  maxAgeMs: null,
  maxBytes: null,
  ...over,
});
const segment = { firstSeq: 5, lastSeq: 9, bytes: 100, appendedAtMs: 1000 };

describe("retention", () => {
  it("counts from the head, and never goes back", () => {
    expect(oldestByCount(limits({}), 100, 7)).toBe(7);
    expect(oldestByCount(limits({ maxEvents: 10 }), 100, 7)).toBe(91);
    expect(oldestByCount(limits({ maxEvents: 10 }), 9, 1)).toBe(1);
    expect(oldestByCount(limits({ maxEvents: 10 }), 10, 1)).toBe(1);
    expect(oldestByCount(limits({ maxEvents: 10 }), 11, 1)).toBe(2);
    expect(oldestByCount(limits({ maxEvents: 10 }), 100, 95)).toBe(95);
  });

  it("lets a segment go that is older than maxAgeMs, the newest too", () => {
    const isGone = (nowMs: number): boolean => isExpired(limits({ maxAgeMs: 50 }), segment, 9, 100, nowMs);
    expect([isGone(1049), isGone(1050), isGone(1051)]).toEqual([false, false, true]);
  });

  it("lets a segment go while there are more than maxBytes, but not the newest", () => {
    const isGone = (bytes: number, head: number): boolean =>
      isExpired(limits({ maxBytes: 500 }), segment, head, bytes, 0);
    expect([isGone(499, 20), isGone(500, 20), isGone(501, 20)]).toEqual([false, false, true]);
    expect(isGone(501, 9)).toBe(false);
  });

  it("keeps everything without limits", () => {
    expect(isExpired(limits({}), segment, 20, 1e12, 1e15)).toBe(false);
  });
});
