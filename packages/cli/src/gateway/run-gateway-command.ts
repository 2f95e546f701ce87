// `sluice gateway` at work.
import { type SluiceGateway, WatchedFiles } from "@sluice/gateway";
import {
  createLogger,
  formatProblem,
  loadSettings,
  type LoadSettingsOptions,
  type Logger,
  superviseProcess,
} from "@sluice/runtime";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { devBanner } from "../serve/dev-banner.js";
import type { ServeOptions } from "../serve/serve.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { runGateway } from "./run-gateway.js";

/** How often the configuration file is looked at, ms. */
const fileLookMs = 1_000;

/** Runs a gateway until it is interrupted, logging to standard output. @throws {CliError} when it could not start. */
export async function runGatewayCommand({ config, flags }: ServeOptions, terminal: Terminal): Promise<void> {
  const { stderr, env } = terminal;
  const file = config ?? env["SLUICE_CONFIG"] ?? "";
  const options = { ...(file === "" ? {} : { file }), env, flags, requireAuth: true, requireUpstreams: true };
  const { settings, warnings } = settingsOrProblems(options);
  if (settings.auth.dev) stderr.write(devBanner(paintFor(takesColour(stderr, env))));
  const { log_level: level, log_pretty: pretty } = settings.telemetry;
  const logger = createLogger({ level, pretty, service: "sluice-gateway" });
  for (const warning of warnings) logger.warn(warning);
  const supervision = superviseProcess({
    events: process,
    exit: (code) => process.exit(code),
    logger,
    // SIGHUP reads the settings again.
    signals: ["SIGTERM", "SIGINT"],
  });
  let files: WatchedFiles | undefined;
  try {
    await runGateway({
      settings,
      logger,
      interrupted: AbortSignal.any([terminal.interrupted, supervision.interrupted]),
      onListening: (gateway) => {
        const onChange = (): void => reload(gateway, options, logger);
        terminal.onHangup?.(onChange);
        if (file !== "") files = new WatchedFiles({ paths: [file], intervalMs: fileLookMs, onChange });
      },
    });
  } finally {
    files?.[Symbol.dispose]();
    supervision.release();
  }
  logger.flush();
}

/** What is wrong now is told, and what was right goes on. */
function reload(gateway: SluiceGateway, options: LoadSettingsOptions, logger: Logger): void {
  const loaded = loadSettings(options);
  if (loaded.ok) gateway.reload(loaded.settings);
  else
    logger.error(
      { problems: loaded.problems.map((problem) => formatProblem(problem)) },
      "the settings stay as they were",
    );
}
