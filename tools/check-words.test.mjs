import { expect, it } from "vitest";
import { checkWords } from "./check-words.mjs";
import { formatProblems } from "./problems.mjs";

const problemsOf = (text) => formatProblems(checkWords(new Map([["docs/a.md", `first\n${text}`]])));

it.each([
  "GET /work",
  "docs/work/plan",
  "https://example.org/home/page",
  "~/.npmrc",
  "npm registry",
  "/tmp/sluice",
  "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.",
  "-----BEGIN PUBLIC KEY-----",
])("accepts %s", (text) => {
  expect(problemsOf(text)).toEqual([]);
});

it.each([
  ["see /work/main/a.ts", '"/work/main" is a path of one machine; write it from the root of the repository'],
  ['cd "/home/alice/x"', '"/home/alice" is a path of one machine; write it from the root of the repository'],
  [
    "/tmp/a.log",
    '"/tmp/a.log" is a temporary place of one machine; code asks os.tmpdir(), examples begin with /tmp/sluice',
  ],
  ["registry.npmjs.org", '"registry.npmjs.org" is a package registry; which one is used is the machine\'s own setting'],
  [
    "-----BEGIN EC PRIVATE KEY-----",
    '"-----BEGIN EC PRIVATE KEY-----" begins a private key; tests make their keys as they run',
  ],
])("refuses %s", (text, message) => {
  expect(problemsOf(text)).toEqual([`docs/a.md:2: ${message}`]);
});

it("names a signed token without repeating it", () => {
  const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.${"s".repeat(43)}`;
  const [problem] = problemsOf(`Authorization: Bearer ${token}`);
  expect(problem).toBe('docs/a.md:2: "eyJhbGciOiJI…" is a signed token; tests sign their tokens as they run');
});
