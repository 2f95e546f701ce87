// The options that every command has which talks to a service.
import { type Command, Option } from "commander";
import { defaultServerUrl, serverAddress } from "./server-address.js";

/** What `addConnectionOptions` gives. */
export interface ConnectionOptions {
  readonly url: URL;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

/** Adds `--url`, `--token` and `--token-file`. */
export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "address of the service or gateway")
        .env("SLUICE_URL")
        .argParser(serverAddress)
        .default(serverAddress(defaultServerUrl), defaultServerUrl),
    )
    .option("--token <token>", "token; better in SLUICE_TOKEN or a file, where other users can't see it")
    .option("--token-file <file>", "file with the token; read anew when it expires");
}
