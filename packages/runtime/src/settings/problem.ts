// What is wrong with a configuration, told so that it can be put right without reading code.
import { scrub } from "../telemetry/scrub.js";
import type { SettingKey } from "./catalogue.js";

/** Where a value came from. */
export interface SettingSource {
  readonly kind: "default" | "file" | "env" | "flag";
  /** `sluice.yaml:12`, the name of the environment variable, the flag, or `default`. */
  readonly at: string;
}

/** One thing that is wrong. No field ever holds the value of a secret. */
export interface SettingProblem {
  /** The key, with the place inside a list where it is known: `auth.mapping[0].scope`. `config file` for the file. */
  readonly path: string;
  /** What is the matter, with the value that was given. */
  readonly problem: string;
  /** What would be right. */
  readonly allowed: string;
  readonly source: SettingSource;
}

/** The `path` of problems of the file as a whole. */
export const filePath = "config file";

/** The source of what nobody configured. */
export const defaultSource: SettingSource = { kind: "default", at: "default" };

const shownLengthMax = 80;

/** A given value for a message: as JSON, without anything that looks like a token, at most 80 characters. */
function show(value: unknown): string {
  const json = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  const clean = scrub(json);
  return clean.length <= shownLengthMax ? clean : `${clean.slice(0, shownLengthMax - 1)}…`;
}

/** The problem of a value that its key doesn't allow. */
export function wrongValue(key: SettingKey, given: unknown, source: SettingSource, within = ""): SettingProblem {
  const problem = key.secret ? "is not allowed (a secret is not shown)" : `is ${show(given)}`;
  return { path: key.path + within, problem, allowed: key.allowed, source };
}

/** A problem on one line: `heartbeat.interval_ms is "1s"; allowed: an integer … (SLUICE_HEARTBEAT__INTERVAL_MS)`. */
export function formatProblem({ path, problem, allowed, source }: SettingProblem): string {
  return `${path} ${problem}; allowed: ${allowed} (${source.at})`;
}
