// CI's closing line, from Vitest's JSON report: `CI: N passed, N failed`. `node tools/count-tests.mjs <report>`.
// Exits with 1 where a test failed, a test file could not run, there is no report, or nothing ran at all.
import { existsSync, readFileSync } from "node:fs";
import { argv, exit, stdout } from "node:process";
import { isProgram } from "./is-program.mjs";

/**
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, success: boolean,
 *   testResults: readonly { status: string, assertionResults: readonly unknown[] }[] }} report
 * @returns {{ line: string, good: boolean }}
 */
export function countTests(report) {
  // A file that breaks before its first test counts as one failure; its tests are in no list.
  const broken = report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0);
  const failed = report.numFailedTests + broken.length;
  const skipped = report.numPendingTests === 0 ? "" : `, ${report.numPendingTests} skipped`;
  return {
    line: `CI: ${report.numPassedTests} passed, ${failed} failed${skipped}`,
    good: report.success && failed === 0 && report.numPassedTests > 0,
  };
}

if (isProgram(import.meta.url)) {
  const path = argv[2] ?? "";
  if (!existsSync(path)) {
    stdout.write("CI: 0 passed, 1 failed (the tests did not come to an end)\n");
    exit(1);
  }
  const { line, good } = countTests(JSON.parse(readFileSync(path, "utf8")));
  stdout.write(`${line}\n`);
  exit(good ? 0 : 1);
}
