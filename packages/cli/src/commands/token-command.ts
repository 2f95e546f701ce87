// `sluice token`: makes a token for a service that runs on a shared secret.
import { Command, Option } from "commander";
import { durationGrammar } from "../arguments/duration.js";
import { durationOption, patternsOption } from "../arguments/option-parsers.js";
import type { Terminal } from "../terminal/terminal.js";
import type { TokenRequest } from "../token/make-token.js";

const examples = `
Examples:
  For alice, who may see everything for an hour:
    $ sluice token --sub alice --config sluice.yaml
  For a program that publishes GPU events of one cluster, for a month:
    $ sluice token --sub exporter --publish --events 'GPU_*' --clusters c-1 --ttl 30d --secret-file secret
  Straight into the environment of the other commands:
    $ export SLUICE_TOKEN=$(sluice token --sub me --publish --secret-file secret)

Only the token goes to stdout. The secret is that of auth.hs256_secret or auth.hs256_secret_file: from --secret,
--secret-file, the configuration file, or SLUICE_AUTH__HS256_SECRET and SLUICE_AUTH__HS256_SECRET_FILE.`;

const ttlMinMs = 1_000;
const ttlMaxMs = 3_650 * 86_400_000;
const ttlDefaultMs = 3_600_000;

/** `sluice token`. */
export function tokenCommand(terminal: Terminal): Command {
  return new Command("token")
    .description("Make a token, signed with the service's shared secret")
    .requiredOption("--sub <user>", "the user that the token is for")
    .option(
      "--events <patterns>",
      "event types it may see, and publish; comma-separated, trailing * (default: all)",
      patternsOption,
    )
    .option(
      "--clusters <patterns>",
      "clusters it may see, and publish for; comma-separated, trailing * (default: all)",
      patternsOption,
    )
    .option("--publish", "it may publish")
    .option("--admin", "it may use the operator's interface")
    .addOption(
      new Option("--ttl <duration>", `until it expires: ${durationGrammar}`)
        .argParser(durationOption(ttlMinMs, ttlMaxMs, "from 1s to 3650d"))
        .default(ttlDefaultMs, "1h"),
    )
    .option(
      "--secret <secret>",
      "the shared secret; better in a file or the environment, where other users can't see it",
    )
    .option("--secret-file <file>", "file with the shared secret")
    .option("--config <file>", "the service's YAML file; its issuer and audience are taken too")
    .option("--issuer <issuer>", "iss of the token")
    .option("--audience <audience>", "aud of the token")
    .addHelpText("after", examples)
    .action(async (options: TokenRequest) => {
      const { makeToken } = await import("../token/make-token.js");
      terminal.stdout.write(`${await makeToken(options, terminal.env)}\n`);
    });
}
