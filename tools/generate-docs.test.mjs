import { expect, it } from "vitest";
import { codesMarkdown, generatedPages, outdatedPages } from "./generate-docs.mjs";

it("makes every page, each ending in one line end", () => {
  const pages = generatedPages();
  expect([...pages.keys()]).toEqual(["docs/codes.md", "docs/metrics.md", "docs/settings.md"]);
  for (const text of pages.values()) expect(text).toMatch(/[^\n]\n$/);
});

it("has every code with its duty, and nothing undefined", () => {
  expect(codesMarkdown()).toContain(
    "| 1012 | Service restart | drain | reconnect after `reconnect_after_ms`, resume |",
  );
  expect(codesMarkdown()).toContain("| `RATE_LIMITED` | ");
  for (const text of generatedPages().values()) expect(text).not.toContain("undefined");
});

it("names the first line that is not what the code says", () => {
  const pages = new Map([["docs/a.md", "one\ntwo\n"]]);
  const outdated = (text) => outdatedPages(pages, new Map(text === undefined ? [] : [["docs/a.md", text]]));
  const again = "run node tools/generate-docs.mjs";
  expect(outdated("one\ntwo\n")).toEqual([]);
  expect(outdated("one\nthree\n")).toEqual([{ file: "docs/a.md", line: 2, message: `the code says "two"; ${again}` }]);
  expect(outdated("one\ntwo\nthree\n")).toMatchObject([{ line: 3, message: `the code says ""; ${again}` }]);
  expect(outdated("one\ntwo\n\n")).toMatchObject([{ line: 4, message: `a line too many; ${again}` }]);
  expect(outdated(undefined)).toMatchObject([{ line: 1, message: `the code says "one"; ${again}` }]);
});
