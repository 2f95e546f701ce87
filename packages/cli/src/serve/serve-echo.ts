// `sluice serve --echo`: the service's handshake and framing, for test-suites of WebSocket to be pointed at.
import { createLogger, isLoopback, type Settings } from "@sluice/runtime";
import { createEchoServer, type EchoServer } from "@sluice/server";
import { CliError } from "../cli-error.js";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { exitCodes } from "../exit-codes.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { echoBanner } from "./echo-banner.js";
import type { ServeOptions } from "./serve.js";
import { startFailure } from "./start-failure.js";

/** Messages that the echo takes unless told, bytes: the largest of Autobahn's test-suite. */
export const echoMessageBytes = 16_777_216;

/** Runs the echo until it is interrupted. @throws {CliError} when it could not start, or would not be alone here. */
export async function serveEcho({ config, flags }: ServeOptions, terminal: Terminal): Promise<void> {
  const { stderr, env, interrupted } = terminal;
  const given = [`--limits.message_bytes=${echoMessageBytes}`, ...flags];
  const options = { ...(config === undefined ? {} : { file: config }), env, flags: given };
  const { settings } = settingsOrProblems(options);
  stderr.write(echoBanner(paintFor(takesColour(stderr, env))));
  const { log_level: level, log_pretty: pretty } = settings.telemetry;
  const logger = createLogger({ level, pretty, service: "sluice-echo" });
  const echo = await startEcho(settings);
  logger.warn({ url: echo.url }, "listening");
  if (!interrupted.aborted) {
    await new Promise<void>((resolve) => interrupted.addEventListener("abort", () => resolve(), { once: true }));
  }
  await echo.close();
  logger.flush();
}

/** Starts the echo of these settings. @throws {CliError} when it could not start, or would not be alone here. */
export async function startEcho(settings: Settings): Promise<EchoServer> {
  if (!isLoopback(settings.server.host)) throw notLoopback("server.host", settings.server.host);
  return createEchoServer(settings).catch((error: unknown) => {
    throw startFailure(error, settings);
  });
}

/** The refusal of an address that others can reach. */
export function notLoopback(setting: string, value: string): CliError {
  return new CliError(`--echo is for this machine only: ${setting} ${value} is no loopback address`, {
    exitCode: exitCodes.config,
    hint: "Take 127.0.0.1, ::1 or localhost.",
  });
}
