// What every check ends with: its findings, one a line, and the exit code.
import { exit, stderr, stdout } from "node:process";
import { isProgram } from "./is-program.mjs";

/**
 * One finding of a check.
 * @typedef {object} Problem
 * @property {string} file   path from the root of the repository
 * @property {number} line   1-based
 * @property {string} message what is wrong, and what is allowed
 */

/** The findings as `file:line: message`, in order of file and line. */
export function formatProblems(/** @type {readonly Problem[]} */ problems) {
  return problems
    .toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
    .map((problem) => `${problem.file}:${problem.line}: ${problem.message}`);
}

/** The 1-based line of an offset into a text. */
export function lineAt(/** @type {string} */ text, /** @type {number} */ offset) {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}

/**
 * Runs `check` when its module is the program that was started (not when a test imports it): prints the findings to
 * stderr and exits with 1, or says in one line what was looked at.
 * @param {string} moduleUrl `import.meta.url` of the check
 * @param {string} name what the check is called in its output
 * @param {() => { problems: readonly Problem[], looked: string }} check
 */
export function runCheck(moduleUrl, name, check) {
  if (!isProgram(moduleUrl)) return;
  const { problems, looked } = check();
  if (problems.length === 0) {
    stdout.write(`${name}: ${looked}, nothing wrong\n`);
    return;
  }
  for (const text of formatProblems(problems)) stderr.write(`${text}\n`);
  stderr.write(`${name}: ${problems.length} ${problems.length === 1 ? "problem" : "problems"} (${looked})\n`);
  exit(1);
}
