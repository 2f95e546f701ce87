import { describe, expect, it } from "vitest";
import { type DialTurn, DialTurns } from "./dial-turns.js";

/** Turns taken one after the other, and the numbers of those that have come, in that order. */
function take(turns: DialTurns, count: number, max: number): { taken: DialTurn[]; come: number[] } {
  const come: number[] = [];
  const taken = Array.from({ length: count }, (_, n) => {
    const turn = turns.take(max);
    void turn.come.then(() => come.push(n));
    return turn;
  });
  return { taken, come };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("DialTurns", () => {
  it.each([
    [2, 2, 0],
    [3, 3, 0],
    [4, 3, 1],
  ])("of %i that ask for one of 3, %i have theirs at once and %i wait", async (count, underWay, waiting) => {
    const turns = new DialTurns();
    const { taken, come } = take(turns, count, 3);
    await settled();
    expect([turns.underWay, turns.waiting, come.length]).toEqual([underWay, waiting, underWay]);
    expect(taken.map(({ hasWaited }) => hasWaited)).toEqual(taken.map((_, n) => n >= 3));
  });

  it("come in the order in which they were asked for", async () => {
    const turns = new DialTurns();
    const { taken, come } = take(turns, 6, 2);
    for (const turn of taken) {
      turn.end();
      await settled();
    }
    expect(come).toEqual([0, 1, 2, 3, 4, 5]);
    expect([turns.underWay, turns.waiting]).toEqual([0, 0]);
  });

  it("pass over who has given up, and are given back once", async () => {
    const turns = new DialTurns();
    const { taken, come } = take(turns, 4, 1);
    taken[1]?.end();
    taken[0]?.end();
    taken[0]?.end();
    await settled();
    expect(come).toEqual([0, 2]);
    expect([turns.underWay, turns.waiting]).toEqual([1, 1]);
  });

  it("come to several when there may be more at once", async () => {
    const turns = new DialTurns();
    const { taken, come } = take(turns, 3, 1);
    turns.take(3).end();
    await settled();
    expect(come).toEqual([0, 1, 2]);
    for (const turn of taken) turn.end();
    expect(turns.underWay).toBe(0);
  });
});
