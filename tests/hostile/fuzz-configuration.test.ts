// Any configuration: settings that may be used or a list of what is wrong, never an exception, never a secret in a
// problem; and what is accepted can be printed and read again.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  defaultSettings,
  formatProblem,
  loadSettings,
  printSettings,
  settingKeys,
  settingsWith,
} from "@sluice/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fuzzing, fuzzMs } from "./fuzz.js";

const secret = "the-secret-that-nobody-may-see-in-a-problem";
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-fuzz-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

const value = fc.oneof(
  fc.constantFrom(
    "",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e999",
    "NaN",
    "0x10",
    "127.0.0.1",
    "0.0.0.0",
    "*",
    "[]",
    "{}",
    "__proto__",
  ),
  fc.constantFrom(
    "http://127.0.0.1:1",
    "https://a.example",
    "http://a.example",
    "https://u:p@a.example",
    "file:///etc/passwd",
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.json({ maxDepth: 3 }),
);
const secretPaths = new Set(["auth.hs256_secret", "auth.introspection_client_secret", "gateway.identity.secret"]);
const key = fc.constantFrom(...settingKeys);
const given = fc.array(fc.tuple(key, value), { maxLength: 6 });

function check(load: () => ReturnType<typeof loadSettings>): void {
  const outcome = load();
  if (outcome.ok) {
    const file = join(dir, "again.yaml");
    writeFileSync(file, printSettings(outcome.settings), { mode: 0o600 });
    const again = loadSettings({ file, env: {}, flags: [] });
    // A secret is masked in print and can't be read again; everything else can.
    const problems = again.ok ? [] : again.problems.map((problem) => formatProblem(problem));
    const isOfSecret = (problem: string): boolean => [...secretPaths].some((path) => problem.includes(path));
    expect(problems.filter((problem) => !isOfSecret(problem))).toEqual([]);
  } else {
    expect(outcome.problems.length).toBeGreaterThan(0);
    for (const problem of outcome.problems) expect(formatProblem(problem)).not.toContain(secret);
  }
}

it(
  "any flags and environment",
  () => {
    const property = fc.property(given, given, (flags, env) => {
      const hidden = (path: string, text: string): string => (secretPaths.has(path) ? secret + text : text);
      check(() =>
        loadSettings({
          env: Object.fromEntries(env.map(([{ envName, path }, text]) => [envName, hidden(path, text)])),
          flags: flags.map(([{ path }, text]) => `--${path}=${hidden(path, text)}`),
        }),
      );
    });
    fc.assert(
      property,
      fuzzing("flags and environment", 1_000) as fc.Parameters<
        [[(typeof settingKeys)[number], string][], [(typeof settingKeys)[number], string][]]
      >,
    );
    expect(settingKeys.length).toBeGreaterThan(0);
  },
  fuzzMs,
);

it(
  "any words for flags",
  () => {
    const word = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.string({ maxLength: 20 }).map((text) => `--${text}`),
      fc.constantFrom(
        "--",
        "-",
        "--=",
        "--server",
        "--server.port",
        "--__proto__=1",
        "--server.__proto__.x=1",
        "--constructor.prototype.x=1",
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (flags) => check(() => loadSettings({ env: {}, flags }))),
      fuzzing("words", 1_000) as fc.Parameters<[string[]]>,
    );
    expect(({} as { readonly x?: unknown }).x).toBeUndefined();
  },
  fuzzMs,
);

it(
  "any file: a printed one with bytes changed",
  () => {
    const printed = Buffer.from(
      printSettings(settingsWith({ auth: { hs256_secret: secret } })).replace('"***"', `"${secret}"`),
    );
    const edit = fc.tuple(
      fc.nat({ max: printed.length }),
      fc.nat({ max: 30 }),
      fc.oneof(
        fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
        fc
          .constantFrom("&a ", "*a", "!!js/function ", "<<: ", "- ", ": ", "\t", "{", "[", "'", "\u0000")
          .map((text) => Buffer.from(text)),
      ),
    );
    const file = join(dir, "fuzzed.yaml");
    const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = printed;
      for (const [at, cut, put] of edits) {
        text = Buffer.concat([text.subarray(0, at), put, text.subarray(at + cut)]);
      }
      writeFileSync(file, text, { mode: 0o600 });
      check(() => loadSettings({ file, env: {}, flags: [] }));
    });
    fc.assert(property, fuzzing("files", 500) as fc.Parameters<[[number, number, Buffer][]]>);
    expect(defaultSettings.server.port).toBe(8081);
  },
  fuzzMs,
);
