// `sluice serve` at work.
import { createLogger } from "@sluice/runtime";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { devBanner } from "./dev-banner.js";
import { runService } from "./run-service.js";
import { isWorker } from "@sluice/server";

/** Where the settings come from, beside the environment. */
export interface ServeOptions {
  /** Path of the YAML file. */
  readonly config: string | undefined;
  readonly flags: readonly string[];
}

/** Runs a service until it is interrupted, logging to standard output. @throws {CliError} when it could not start. */
export async function serve({ config, flags }: ServeOptions, terminal: Terminal): Promise<void> {
  const { stderr, env, interrupted } = terminal;
  const { settings, warnings } = settingsOrProblems({
    ...(config === undefined ? {} : { file: config }),
    env,
    flags,
    requireAuth: true,
  });
  if (settings.auth.dev && !isWorker()) stderr.write(devBanner(paintFor(takesColour(stderr, env))));
  const { log_level: level, log_pretty: pretty } = settings.telemetry;
  const logger = createLogger({ level, pretty, service: "sluice" });
  if (!isWorker()) for (const warning of warnings) logger.warn(warning);
  await runService({ settings, logger, interrupted });
  logger.flush();
}
