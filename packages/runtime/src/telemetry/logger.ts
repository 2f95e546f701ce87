// The logger of a process: JSON lines without tokens. Safe by construction in what it takes from requests and errors,
// and each line is scrubbed once more before it is written.
import { isatty } from "node:tty";
import { type Logger, pino, stdTimeFunctions } from "pino";
import { createLogDestination, type LogDestination, prettyDestination } from "./log-destination.js";
import { safeError, safeRequest, safeValue } from "./safe-fields.js";
import { scrub, scrubbed } from "./scrub.js";

export type { Logger } from "pino";

const standardOutput = 1;

/** Names under which tokens and what holds them are handed to loggers by mistake. */
const neverLogged = [
  "headers",
  "rawHeaders",
  "query",
  "search",
  "cookie",
  "cookies",
  "authorization",
  "token",
  "access_token",
  "refresh_token",
  "id_token",
  "ticket",
  "secret",
  "client_secret",
  "password",
] as const;

const serializers = {
  ...Object.fromEntries(neverLogged.map((name) => [name, () => scrubbed])),
  req: safeRequest,
  request: safeRequest,
  err: (error: unknown) => safeError(error),
  error: (error: unknown) => safeError(error),
};

/** How to log. */
export interface LoggerOptions {
  /** `telemetry.log_level`; default `info`. */
  readonly level?: string;
  /** `telemetry.log_pretty`; default false. */
  readonly pretty?: boolean;
  /** Whether pretty lines are coloured; default: standard output is a terminal and `NO_COLOR` isn't set. */
  readonly coloured?: boolean;
  /** Which program it is; stands in every line. */
  readonly service: string;
  /** Default: standard output. */
  readonly destination?: LogDestination;
}

function safeFields(fields: Record<string, unknown>): Record<string, unknown> {
  let safe = fields;
  for (const [name, value] of Object.entries(fields)) {
    const clean = Object.hasOwn(serializers, name) ? value : safeValue(value);
    if (clean === value) continue;
    if (safe === fields) safe = { ...fields };
    safe[name] = clean;
  }
  return safe;
}

/**
 * Makes a logger. Of requests (`req`, or any field that is one) method, path, remote address and user id are logged,
 * of errors type, message, code, stack and causes, of headers, queries and tokens nothing.
 *
 * Measured on a line of 200 bytes: the scrubber's search takes 0.5 µs (4 µs when it finds something), the whole line
 * 4.7 µs against 1.1 µs of pino alone. So log connections and faults, not events.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { level = "info", pretty = false, service, destination = createLogDestination() } = options;
  const { coloured = isatty(standardOutput) && process.env["NO_COLOR"] === undefined } = options;
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: safeFields },
      serializers,
      hooks: { streamWrite: scrub },
    },
    pretty ? prettyDestination(destination, coloured) : destination,
  );
}
