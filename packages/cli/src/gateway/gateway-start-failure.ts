// Why a gateway did not start, in words, and with the exit code that fits.
import { AuthSettingsError, type Settings } from "@sluice/runtime";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";

/** The error to end with; what is none of the known failures is handed back as it is. */
export function gatewayStartFailure(error: unknown, { gateway }: Settings): unknown {
  if (error instanceof AuthSettingsError)
    return new CliError(error.message, { exitCode: exitCodes.config, cause: error });
  if (!(error instanceof Error)) return error;
  if (error.message.startsWith("gateway.tls.")) {
    return new CliError(error.message, { exitCode: exitCodes.config, hint: causeText(error), cause: error });
  }
  const code = "code" in error ? error.code : undefined;
  const where = "port" in error ? `${gateway.host}:${String(error.port)}` : gateway.host;
  switch (code) {
    case "EADDRINUSE":
      return new CliError(`${where} is taken by another program`, {
        exitCode: exitCodes.temporary,
        hint: "Give another port with --gateway.port; 0 takes any that is free.",
        cause: error,
      });
    case "EACCES":
      return new CliError(`${where} may not be listened on`, {
        exitCode: exitCodes.noPermission,
        hint: "Ports below 1024 need a privilege; give another with --gateway.port.",
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new CliError(`gateway.host ${gateway.host} is no address of this machine`, {
        exitCode: exitCodes.config,
        cause: error,
      });
    default:
      return error;
  }
}

/** A file's or OpenSSL's word for what is wrong; neither shows the key. */
function causeText({ cause }: Error): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}
