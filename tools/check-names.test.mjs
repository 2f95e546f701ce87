import { expect, it } from "vitest";
import { checkNames, sourceLinesMax, testLinesMax } from "./check-names.mjs";
import { formatProblems } from "./problems.mjs";

const problemsOf = (files) => formatProblems(checkNames(new Map(Object.entries(files))));
const lines = (count) => "x\n".repeat(count);

it("accepts kebab-case names in every room, README.md, and anything at the root", () => {
  expect(
    problemsOf({
      "README.md": "",
      "packages/server/src/log/event-log.ts": "",
      "packages/server/src/log/event-log.contract.test.ts": "",
      "docs/decisions/0001-why-lanes.md": "",
      "docs/README.md": "",
    }),
  ).toEqual([]);
});

it.each([
  ["packages/server/src/MessageBuffer.ts", "MessageBuffer.ts is not kebab-case; name it for its main export"],
  ["packages/server/src/message_buffer.ts", "message_buffer.ts is not kebab-case; name it for its main export"],
  ["packages/server/src/utils.ts", 'the name "utils" says nothing; a thing lives with what it belongs to'],
  ["packages/server/src/types.test.ts", 'the name "types" says nothing; a thing lives with what it belongs to'],
  ["packages/server/src/common/a.ts", 'the folder name "common" says nothing; name it for what is inside'],
  ["tests/Slow/a.test.ts", "the folder Slow is not kebab-case"],
])("refuses %s", (path, message) => {
  expect(problemsOf({ [path]: "" })).toEqual([`${path}:1: ${message}`]);
});

it.each([
  ["packages/server/src/a.ts", sourceLinesMax],
  ["packages/server/src/a.test.ts", testLinesMax],
])("holds the size of %s to %i lines", (path, allowed) => {
  expect(problemsOf({ [path]: lines(allowed - 1) })).toEqual([]);
  expect(problemsOf({ [path]: lines(allowed) })).toEqual([]);
  expect(problemsOf({ [path]: lines(allowed + 1) })).toEqual([
    `${path}:1: ${allowed + 1} lines, ${allowed} allowed; move out what is a responsibility of its own`,
  ]);
});
