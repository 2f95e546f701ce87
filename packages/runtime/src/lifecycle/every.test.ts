import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { every } from "./every.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("every", () => {
  it("runs all of one period in one moment, each until it is ended", () => {
    const ran: string[] = [];
    const endFirst = every(1000, () => ran.push("first"));
    vi.advanceTimersByTime(600);
    const endSecond = every(1000, () => ran.push("second"));
    vi.advanceTimersByTime(399);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ran).toEqual(["first", "second"]);
    expect(vi.getTimerCount()).toBe(1);
    endFirst();
    vi.advanceTimersByTime(1000);
    expect(ran).toEqual(["first", "second", "second"]);
    endSecond();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(5000);
    expect(ran).toHaveLength(3);
  });

  it("takes the same function twice, and begins again after all have ended", () => {
    let ran = 0;
    const run = (): void => void (ran += 1);
    const ends = [every(20, run), every(20, run)];
    vi.advanceTimersByTime(20);
    expect(ran).toBe(2);
    for (const end of ends) end();
    const endLast = every(20, run);
    for (const end of ends) end();
    vi.advanceTimersByTime(20);
    expect(ran).toBe(3);
    endLast();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps periods apart", () => {
    const ran: number[] = [];
    const ends = [20, 30].map((periodMs) => every(periodMs, () => ran.push(periodMs)));
    vi.advanceTimersByTime(60);
    expect(ran.toSorted((a, b) => a - b)).toEqual([20, 20, 20, 30, 30]);
    for (const end of ends) end();
  });

  it("lets what runs end itself and others", () => {
    const ran: string[] = [];
    const endFirst = every(1000, () => {
      ran.push("first");
      endFirst();
      endSecond();
    });
    const endSecond = every(1000, () => ran.push("second"));
    vi.advanceTimersByTime(3000);
    expect(ran).toEqual(["first"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
