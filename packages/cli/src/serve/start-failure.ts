// Why a service did not start, in words, and with the exit code that fits.
import { AuthSettingsError } from "@sluice/runtime";
import { LogError } from "@sluice/server";
import type { Settings } from "@sluice/runtime";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";

const logHints: Readonly<Partial<Record<LogError["code"], string>>> = {
  LOG_LOCKED: "One process at a time uses a log; end the other one, or give this one a log.dir of its own.",
  LOG_DAMAGED: "Nothing was changed. Restore the directory from a backup, or name another log.dir to begin anew.",
  LOG_FORMAT: "Start the version of Sluice that wrote it, or name another log.dir.",
  LOG_FULL: "Make room on the disk, or lower log.retention.max_bytes.",
  LOG_UNREACHABLE: "Look at nats.servers and their credentials; JetStream has to be enabled there.",
};

/** Troubles with a log that a later start may not have. */
const passing: ReadonlySet<LogError["code"]> = new Set(["LOG_LOCKED", "LOG_FULL", "LOG_UNREACHABLE"]);

/** The error to end with; what is none of the known failures is handed back as it is. */
export function startFailure(error: unknown, { server, log }: Settings): unknown {
  if (error instanceof AuthSettingsError) {
    return new CliError(error.message, { exitCode: exitCodes.config, cause: error });
  }
  if (error instanceof LogError) {
    const isOurs = log.engine !== "jetstream";
    const message = !isOurs || error.message.includes(log.dir) ? error.message : `${log.dir}: ${error.message}`;
    const exitCode = passing.has(error.code) ? exitCodes.temporary : exitCodes.failure;
    // What does not fit of a stream is in the message, with how to mend it.
    const hint = isOurs || error.code === "LOG_UNREACHABLE" ? logHints[error.code] : undefined;
    return new CliError(message, { exitCode, hint, cause: error });
  }
  if (!(error instanceof Error) || !("code" in error)) return error;
  const where = "port" in error ? `${server.host}:${String(error.port)}` : server.host;
  switch (error.code) {
    case "EADDRINUSE":
      return new CliError(`${where} is taken by another program`, {
        exitCode: exitCodes.temporary,
        hint: "Give another port with --server.port; 0 takes any that is free.",
        cause: error,
      });
    case "EACCES":
      if (!("syscall" in error) || error.syscall !== "listen") break;
      return new CliError(`${where} may not be listened on`, {
        exitCode: exitCodes.noPermission,
        hint: "Ports below 1024 need a privilege; give another with --server.port.",
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CliError(`server.host ${server.host} is no address of this machine`, {
        exitCode: exitCodes.config,
        cause: error,
      });
  }
  if ("path" in error || "syscall" in error) {
    return new CliError(`the service could not start: ${error.message}`, { exitCode: exitCodes.failure, cause: error });
  }
  return error;
}
