// Holds the names and sizes of files (CONTRIBUTING.md, "Names and sizes"): kebab-case, a noun that says what is inside,
// and no file that has grown a second responsibility.
import { runCheck } from "./problems.mjs";
import { isTest, readFiles } from "./repository.mjs";

/** Most lines of a source file; a second responsibility has usually moved in by then. */
export const sourceLinesMax = 300;

/** Most lines of a test file; contract suites and tables of cases are longer than what they test. */
export const testLinesMax = 500;

/** Files that may be longer, each with the reason why it is still one thing. */
export const longer = new Map(/** @type {[string, { lines: number, reason: string }][]} */ ([]));

/** Names that say nothing; such a file collects whatever has no other place. */
const empty = new Set(["util", "utils", "helper", "helpers", "common", "misc", "shared", "types"]);

const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const rooms = /^(?:packages\/[^/]+\/(?:src|bin|web|test)|tests|benches|tools|docs|deploy)\//;
const isSource = (path) => /\.(?:[cm]?[jt]s|tsx|css|html|sh)$/.test(path);

/**
 * @param {ReadonlyMap<string, string>} files path → text
 * @returns {import("./problems.mjs").Problem[]}
 */
export function checkNames(files) {
  const problems = [];
  const say = (file, message) => problems.push({ file, line: 1, message });
  for (const [path, text] of files) {
    if (rooms.test(path)) judgeName(path, (message) => say(path, message));
    if (isSource(path)) judgeSize(path, text, (message) => say(path, message));
  }
  for (const [path, { lines, reason }] of longer) {
    if (files.has(path) && linesOf(files.get(path)) > largest(path)) continue;
    say("tools/check-names.mjs", `${path} may have ${lines} lines ("${reason}") and needs no exception; take it out`);
  }
  return problems;
}

function judgeName(path, say) {
  const segments = path.replace(rooms, "").split("/");
  const file = segments.pop();
  if (file === "README.md") return;
  for (const folder of segments) {
    if (!kebab.test(folder)) say(`the folder ${folder} is not kebab-case`);
    if (empty.has(folder)) say(`the folder name "${folder}" says nothing; name it for what is inside`);
  }
  for (const part of file.replace(/^\./, "").split(".").slice(0, -1)) {
    if (!kebab.test(part)) say(`${file} is not kebab-case; name it for its main export`);
    if (empty.has(part)) say(`the name "${part}" says nothing; a thing lives with what it belongs to`);
  }
}

function judgeSize(path, text, say) {
  const lines = linesOf(text);
  const allowed = longer.get(path)?.lines ?? largest(path);
  if (lines > allowed) say(`${lines} lines, ${allowed} allowed; move out what is a responsibility of its own`);
}

const largest = (path) => (isTest(path) ? testLinesMax : sourceLinesMax);

const linesOf = (text) => (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n").length;

runCheck(import.meta.url, "check-names", () => {
  const files = readFiles((path) => rooms.test(path));
  return { problems: checkNames(files), looked: `${files.size} files` };
});
