import { expect, it } from "vitest";
import { countTests } from "./count-tests.mjs";

const ran = { status: "passed", assertionResults: [{}] };
const report = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 0, success: true, testResults: [ran] };

it("counts what passed and failed", () => {
  expect(countTests(report)).toEqual({ line: "CI: 3 passed, 0 failed", good: true });
  expect(countTests({ ...report, numFailedTests: 2, success: false })).toEqual({
    line: "CI: 3 passed, 2 failed",
    good: false,
  });
});

it("names skipped tests", () => {
  expect(countTests({ ...report, numPendingTests: 1 }).line).toBe("CI: 3 passed, 0 failed, 1 skipped");
});

it("counts a file that broke before its first test", () => {
  const testResults = [ran, { status: "failed", assertionResults: [] }];
  expect(countTests({ ...report, success: false, testResults })).toEqual({
    line: "CI: 3 passed, 1 failed",
    good: false,
  });
});

it("is not content with no tests", () => {
  expect(countTests({ ...report, numPassedTests: 0, testResults: [] }).good).toBe(false);
});
