import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { HistoryTurns } from "./history-turns.js";

it("lets one through a turn, in the order in which they came", async () => {
  const turns = new HistoryTurns();
  const admitted: string[] = [];
  const run = async (name: string): Promise<void> => {
    for (let time = 1; time <= 2; time += 1) {
      await turns.next();
      admitted.push(`${name}${time}`);
    }
  };
  const all = Promise.all([run("a"), run("b"), run("c")]);
  const seen: number[] = [];
  while (admitted.length < 6) {
    await nextTurn();
    seen.push(admitted.length);
  }
  await all;
  expect(admitted).toEqual(["a1", "b1", "c1", "a2", "b2", "c2"]);
  const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0));
  expect(Math.max(...steps)).toBe(1);
});

it("begins again after it was idle", async () => {
  const turns = new HistoryTurns();
  await turns.next();
  await nextTurn();
  await expect(turns.next()).resolves.toBeUndefined();
});
