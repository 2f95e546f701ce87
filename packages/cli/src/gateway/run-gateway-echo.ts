// `sluice gateway --echo`: the gateway before an echo, for test-suites of WebSocket to be pointed at.
import { createLogger, isLoopback, superviseProcess } from "@sluice/runtime";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { echoBanner } from "../serve/echo-banner.js";
import { echoMessageBytes, notLoopback, startEcho } from "../serve/serve-echo.js";
import type { ServeOptions } from "../serve/serve.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { runGateway } from "./run-gateway.js";

/**
 * Runs a gateway that lets anybody in, before the echoes of `gateway.upstreams` or one of its own, until it is
 * interrupted. @throws {CliError} when it could not start, or would not be alone here.
 */
export async function runGatewayEcho({ config, flags }: ServeOptions, terminal: Terminal): Promise<void> {
  const { stderr, env, interrupted } = terminal;
  // auth.dev allows loopback addresses only, for the gateway and for the service.
  const given = ["--auth.dev=true", `--limits.message_bytes=${echoMessageBytes}`, ...flags];
  const { settings } = settingsOrProblems({ ...(config === undefined ? {} : { file: config }), env, flags: given });
  const elsewhere = settings.gateway.upstreams.find((url) => !isLoopback(new URL(url).hostname));
  if (elsewhere !== undefined) throw notLoopback("gateway.upstreams", elsewhere);
  if (!isLoopback(settings.gateway.host)) throw notLoopback("gateway.host", settings.gateway.host);
  stderr.write(echoBanner(paintFor(takesColour(stderr, env))));
  const { log_level: level, log_pretty: pretty } = settings.telemetry;
  const logger = createLogger({ level, pretty, service: "sluice-gateway-echo" });
  const signals = ["SIGTERM", "SIGINT"] as const;
  const supervision = superviseProcess({ events: process, exit: (code) => process.exit(code), logger, signals });
  const own =
    settings.gateway.upstreams.length > 0
      ? undefined
      : await startEcho({ ...settings, server: { ...settings.server, host: "127.0.0.1", port: 0 } });
  const upstreams = own === undefined ? settings.gateway.upstreams : [own.url];
  try {
    await runGateway({
      settings: { ...settings, gateway: { ...settings.gateway, upstreams } },
      logger,
      interrupted: AbortSignal.any([interrupted, supervision.interrupted]),
    });
  } finally {
    await own?.close();
    supervision.release();
  }
  logger.flush();
}
