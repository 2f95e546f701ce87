// The settings of a process, from flags, environment, file and defaults, or everything that is wrong with them.
import { settingKeys } from "./catalogue.js";
import { authRule, type TogetherRule, togetherRules, upstreamsRule } from "./check-together.js";
import { checkValue } from "./check-value.js";
import { assembleSettings } from "./defaults.js";
import type { Given } from "./given.js";
import { defaultSource, type SettingProblem, type SettingSource } from "./problem.js";
import { readEnv } from "./read-env.js";
import { type GivenByFile, readFile } from "./read-file.js";
import { readFlags } from "./read-flags.js";
import type { Settings } from "./schema.js";
import { readSecretFile } from "./secret-file.js";

/** Where to look. */
export interface LoadSettingsOptions {
  /** Path of the YAML file; before `SLUICE_CONFIG` in `env`. Without either there is no file. */
  readonly file?: string;
  /** The environment, usually `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Arguments of the command line that are settings: `--heartbeat.interval_ms=1000`. */
  readonly flags: readonly string[];
  /** Whether a configuration in which nobody can authenticate is a problem; a server asks for it. Default false. */
  readonly requireAuth?: boolean;
  /** Whether a configuration without `gateway.upstreams` is a problem; a gateway asks for it. Default false. */
  readonly requireUpstreams?: boolean;
}

/** Settings that may be used, or every problem at once. */
export type LoadSettingsOutcome =
  | {
      readonly ok: true;
      readonly settings: Settings;
      /** By path, for every key. */
      readonly sources: ReadonlyMap<string, SettingSource>;
      /** What works but deserves a look; one sentence each, no value of a secret. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly SettingProblem[] };

class Loading {
  readonly values = new Map<string, unknown>();
  readonly sources = new Map<string, SettingSource>(settingKeys.map(({ path }) => [path, defaultSource]));
  readonly problems: SettingProblem[] = [];
  readonly warnings: string[] = [];
  /** Keys with a problem of their own, which rules between keys then leave alone. */
  readonly #broken = new Set<string>();

  /** Later layers win; a wrong value is a problem also where a later layer would have hidden it. */
  add(given: Given): void {
    for (const problem of given.problems) this.refuse(problem);
    for (const value of given.values) {
      const { path } = value.key;
      this.sources.set(path, value.source);
      this.values.set(path, value.value);
      const problem = checkValue(value);
      if (problem !== undefined) {
        this.refuse(problem);
        this.#broken.add(path);
      }
    }
  }

  refuse(problem: SettingProblem): void {
    this.problems.push(problem);
    this.#broken.add(problem.path);
  }

  check(rules: readonly TogetherRule[]): void {
    const safe = new Map([...this.values].filter(([path]) => !this.#broken.has(path)));
    const settings = assembleSettings(safe);
    for (const { paths, allowed, check } of rules) {
      if (paths.some((path) => this.#broken.has(path))) continue;
      const problem = check(settings);
      if (problem === undefined) continue;
      const path = paths.find((candidate) => this.sourceOf(candidate).kind !== "default") ?? paths[0] ?? "";
      this.problems.push({ path, problem, allowed, source: this.sourceOf(path) });
    }
  }

  sourceOf(path: string): SettingSource {
    return this.sources.get(path) ?? defaultSource;
  }

  isAllowed(path: string): boolean {
    return !this.#broken.has(path);
  }
}

function warnOfSecrets(loading: Loading, file: GivenByFile | undefined): void {
  for (const { path, secret } of settingKeys) {
    if (!secret) continue;
    const source = loading.sourceOf(path);
    if (source.kind === "flag") {
      loading.warnings.push(
        `${path} is given as a flag, which every user of this machine can see; use the environment or a file`,
      );
    } else if (source.kind === "file" && file?.readableByOthers === true) {
      loading.warnings.push(`${path} stands in ${source.at}, which others than its owner can read; chmod 600 it`);
    }
  }
}

/** Puts the secret of `auth.hs256_secret_file` where a secret given directly would be. */
function resolveSecretFile(loading: Loading): void {
  const path = "auth.hs256_secret_file";
  const file = loading.values.get(path);
  const direct = loading.values.get("auth.hs256_secret") ?? null;
  if (typeof file !== "string" || !loading.isAllowed(path) || direct !== null) return;
  const read = readSecretFile(file);
  if (!read.ok)
    return loading.refuse({ path, problem: read.problem, allowed: read.allowed, source: loading.sourceOf(path) });
  if (read.readableByOthers)
    loading.warnings.push(`the file of ${path} can be read by others than its owner; chmod 600 it`);
  loading.values.set("auth.hs256_secret", read.secret);
  loading.sources.set("auth.hs256_secret", { kind: "file", at: file });
}

/**
 * Loads the settings: flags before environment before file before defaults. Reads the file and the file of the
 * shared secret, which then stands in `auth.hs256_secret`. Never throws for what it was given; reports every problem
 * of every place at once.
 */
export function loadSettings(options: LoadSettingsOptions): LoadSettingsOutcome {
  const { file, env, flags, requireAuth = false, requireUpstreams = false } = options;
  const loading = new Loading();
  const path = file ?? env["SLUICE_CONFIG"] ?? "";
  const byFile = path === "" ? undefined : readFile(path);
  if (byFile !== undefined) loading.add(byFile);
  loading.add(readEnv(env));
  loading.add(readFlags(flags));
  const askedFor = [...(requireAuth ? [authRule] : []), ...(requireUpstreams ? [upstreamsRule] : [])];
  loading.check([...togetherRules, ...askedFor]);
  warnOfSecrets(loading, byFile);
  resolveSecretFile(loading);
  if (loading.problems.length > 0) return { ok: false, problems: loading.problems };
  return { ok: true, settings: assembleSettings(loading.values), sources: loading.sources, warnings: loading.warnings };
}
