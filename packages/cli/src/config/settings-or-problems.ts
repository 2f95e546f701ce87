// Settings for a command, or all that is wrong with them as one error.
import { formatProblem, loadSettings, type LoadSettingsOptions, type LoadSettingsOutcome } from "@sluice/runtime";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";

/** Settings that can be used. */
export type LoadedSettings = Extract<LoadSettingsOutcome, { ok: true }>;

/** Loads settings. @throws {CliError} naming every problem, one a line. */
export function settingsOrProblems(options: LoadSettingsOptions): LoadedSettings {
  const loaded = loadSettings(options);
  if (loaded.ok) return loaded;
  const { problems } = loaded;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  throw new CliError(`the configuration has ${count}:\n${lines.join("\n")}`, {
    exitCode: exitCodes.config,
    hint: "`sluice config print` shows every setting with its range and default.",
  });
}
