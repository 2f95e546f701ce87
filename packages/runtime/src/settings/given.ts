// One place that settings are given in, read: values by key, not yet checked, and what is wrong with the place itself.
import { scrub } from "../telemetry/scrub.js";
import type { SettingKey } from "./catalogue.js";
import type { SettingProblem, SettingSource } from "./problem.js";
import { suggestKey } from "./suggestion.js";

/** A value for a key, as it was given. */
export interface GivenValue {
  readonly key: SettingKey;
  readonly value: unknown;
  readonly source: SettingSource;
}

/** All that one place gives. */
export interface Given {
  readonly values: GivenValue[];
  readonly problems: SettingProblem[];
}

/** Most characters of an unknown name that are repeated. */
const nameLengthMax = 100;

/** How a place writes the name of a key: `heartbeat.interval_ms` is `--heartbeat.interval_ms` as a flag. */
export type KeyWriter = (path: string) => string;

/** The problem of a name that is no key, with the key that it was most likely meant to be, as that place writes it. */
export function unknownKey(name: string, source: SettingSource, write: KeyWriter = (path) => path): SettingProblem {
  const suggested = suggestKey(name);
  const hint = suggested === undefined ? "" : `; did you mean ${write(suggested)}?`;
  const path = scrub(name.slice(0, nameLengthMax));
  return { path, problem: `is not a setting${hint}`, allowed: "the keys that `sluice config print` lists", source };
}
