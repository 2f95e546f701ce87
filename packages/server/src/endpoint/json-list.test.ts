import { json } from "node:stream/consumers";
import { expect, it } from "vitest";
import { jsonList } from "./json-list.js";

it.each([0, 1, 127, 128, 129, 1000])("writes %i items as they are, and what comes beside them", async (count) => {
  const items = Array.from({ length: count }, (_, index) => ({ index, text: '"],[' }));
  expect(await json(jsonList("all of them", items, { nodes: ["a"], silent: [] }))).toEqual({
    "all of them": items,
    nodes: ["a"],
    silent: [],
  });
  expect(await json(jsonList("items", items, {}))).toEqual({ items });
});

it("lets the event loop turn between slices", async () => {
  const items = Array.from({ length: 1000 }, (_, index) => ({ index }));
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  await json(jsonList("items", items, {}));
  clearImmediate(next);
  expect(turns).toBeGreaterThan(5);
});
