import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { settleHeap } from "./settled-heap.js";

it("collects what nobody has any more, and leaves no way to do so behind", async () => {
  const forgotten = new WeakRef({ some: "thing" });
  // Within the turn in which it was made, a WeakRef keeps its target.
  await setImmediate();
  settleHeap();
  expect(forgotten.deref()).toBeUndefined();
  expect(runInNewContext("typeof gc")).toBe("undefined");
});
