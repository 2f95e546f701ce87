// Settings made in code: for tests, and for programs that embed a server.
import { settingKeys } from "./catalogue.js";
import { togetherRules } from "./check-together.js";
import { checkValue } from "./check-value.js";
import { assembleSettings } from "./defaults.js";
import { formatProblem } from "./problem.js";
import type { Settings } from "./schema.js";

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;

/** Settings of which only some are named; lists are given whole. */
export type SettingsOverrides = DeepPartial<Settings>;

function lookUp(tree: unknown, path: string): unknown {
  let node = tree;
  for (const name of path.split(".")) {
    if (typeof node !== "object" || node === null) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return node;
}

/**
 * The defaults with `overrides` laid over them, checked as a file's would be; names that are no settings are ignored
 * (the compiler refuses them). Reads no file: `auth.hs256_secret_file` is left as it is.
 * @throws {Error} naming every problem, since settings in code are the program's own promise.
 */
export function settingsWith(overrides: SettingsOverrides): Settings {
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  for (const key of settingKeys) {
    const value = lookUp(overrides, key.path);
    if (value === undefined) continue;
    values.set(key.path, value);
    const problem = checkValue({ key, value, source: { kind: "default", at: "code" } });
    if (problem !== undefined) problems.push(formatProblem(problem));
  }
  const settings = assembleSettings(values);
  if (problems.length === 0) {
    for (const { paths, check, allowed } of togetherRules) {
      const problem = check(settings);
      if (problem !== undefined) problems.push(`${paths[0]} ${problem}; allowed: ${allowed}`);
    }
  }
  if (problems.length > 0) throw new Error(`settings made in code are wrong: ${problems.join("; ")}`);
  return settings;
}
