import { describe, expect, it } from "vitest";
import { BodyBudget } from "./body-budget.js";

describe("BodyBudget", () => {
  it("leaves the last quarter to those who hold no more than a quarter", () => {
    const budget = new BodyBudget(400, 100);
    const [slow, other, third] = [budget.of("slow"), budget.of("other"), budget.of("third")];
    expect([slow.take(299), slow.take(2), slow.take(1), slow.take(1)]).toEqual([true, false, true, false]);
    expect([budget.hasRoomFor("other", 101), budget.hasRoomFor("other", 100)]).toEqual([false, true]);
    expect([other.take(60), other.take(41), other.take(40), other.take(1)]).toEqual([true, false, true, false]);
    expect(third.take(1)).toBe(false);
    other.giveBack(100);
    expect(third.take(100)).toBe(true);
    slow.giveBack(100);
    expect([slow.take(1), other.take(100), slow.take(1)]).toEqual([false, true, false]);
  });

  it.each([
    ["one body", 100],
    ["less than one body", 10],
  ])("that is %s takes one whole body, from anybody", (_, bytesMax) => {
    const budget = new BodyBudget(bytesMax, 100);
    expect([budget.of("one").take(99), budget.of("one").take(1), budget.of("two").take(1)]).toEqual([
      true,
      true,
      false,
    ]);
    budget.of("one").giveBack(100);
    expect(budget.of("two").take(100)).toBe(true);
  });

  it("lets through what is taken alone, and remembers nobody who gave all back", () => {
    const budget = new BodyBudget(400, 100);
    expect(budget.of("one").take(1_000)).toBe(true);
    expect(budget.of("two").take(1)).toBe(false);
    budget.of("one").giveBack(1_000);
    expect([budget.of("one").take(300), budget.of("one").take(100)]).toEqual([true, false]);
  });
});
