import { describe, expect, it } from "vitest";
import { TurnBudget } from "./turn-budget.js";

describe("TurnBudget", () => {
  it("lets the event loop turn whenever the share of a turn is used up", async () => {
    const budget = new TurnBudget(10);
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await budget.spend(9);
    expect(turns).toBe(0);
    await budget.spend(1);
    expect(turns).toBe(1);
    await budget.spend(5);
    expect(turns).toBe(1);
    await budget.spend(500);
    expect(turns).toBe(2);
    clearImmediate(next);
  });
});
