import { expect, it } from "vitest";
import { ByteBudget } from "./byte-budget.js";

it("lets in as much as it has, and the same again when that is given back", () => {
  const budget = new ByteBudget(10);
  expect(budget.take(1)).toBe(true);
  expect(budget.hasRoomFor(9)).toBe(true);
  expect(budget.hasRoomFor(10)).toBe(false);
  expect(budget.take(10)).toBe(false);
  expect(budget.take(9)).toBe(true);
  expect(budget.take(1)).toBe(false);
  budget.giveBack(10);
  expect(budget.bytes).toBe(0);
  expect(budget.take(10)).toBe(true);
});

it("lets anything in when it holds nothing", () => {
  const budget = new ByteBudget(10);
  expect(budget.take(11)).toBe(true);
  expect(budget.take(1)).toBe(false);
});
