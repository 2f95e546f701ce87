// `sluice token`: makes a token for a service that runs on a shared secret.
import { adminScope, mintToken, publishScope } from "@sluice/runtime";
import { Command, Option } from "commander";
import { durationGrammar } from "../arguments/duration.js";
import { durationOption, patternsOption } from "../arguments/option-parsers.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import type { Terminal } from "../terminal/terminal.js";
import { settingsOrProblems } from "./settings-problems.js";

interface TokenCommandOptions {
  readonly sub: string;
  readonly events?: readonly string[];
  readonly clusters?: readonly string[];
  readonly publish?: boolean;
  readonly admin?: boolean;
  readonly ttl: number;
  readonly secret?: string;
  readonly secretFile?: string;
  readonly config?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

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
/** RFC 7518 §3.2: as long as the hash. */
const secretBytesMin = 32;

/** `sluice token`. */
export function tokenCommand(terminal: Terminal): Command {
  return new Command("token")
    .description("Make a token, signed with the service's shared secret")
    .requiredOption("--sub <user>", "the user that the token is for")
    .option("--events <patterns>", "event types it may see, and publish; comma-separated, trailing * (default: all)", patternsOption)
    .option("--clusters <patterns>", "clusters it may see, and publish for; comma-separated, trailing * (default: all)", patternsOption)
    .option("--publish", "it may publish")
    .option("--admin", "it may use the operator's interface")
    .addOption(
      new Option("--ttl <duration>", `until it expires: ${durationGrammar}`)
        .argParser(durationOption(ttlMinMs, ttlMaxMs, "from 1s to 3650d"))
        .default(ttlDefaultMs, "1h"),
    )
    .option("--secret <secret>", "the shared secret; better in a file or the environment, where other users can't see it")
    .option("--secret-file <file>", "file with the shared secret")
    .option("--config <file>", "the service's YAML file; its issuer and audience are taken too")
    .option("--issuer <issuer>", "iss of the token")
    .option("--audience <audience>", "aud of the token")
    .addHelpText("after", examples)
    .action(async (options: TokenCommandOptions) => {
      const { sub, events, clusters, publish, admin, ttl } = options;
      if (sub.trim() === "") throw new CliError("--sub must not be empty", { exitCode: exitCodes.usage });
      const { secret, issuer, audience } = readSecret(options, terminal.env);
      const scope = [publish === true ? publishScope : "", admin === true ? adminScope : ""].filter(Boolean).join(" ");
      const token = await mintToken(secret, {
        sub,
        events,
        clusters,
        ttlMs: ttl,
        issuer: options.issuer ?? issuer,
        audience: options.audience ?? audience,
        ...(scope === "" ? {} : { scope }),
      });
      terminal.stdout.write(`${token}\n`);
    });
}

interface Signing {
  readonly secret: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

function readSecret(options: TokenCommandOptions, env: Terminal["env"]): Signing {
  const { secret: direct, secretFile, config } = options;
  if (direct !== undefined && secretFile !== undefined) {
    throw new CliError("--secret and --secret-file are both given; give one", { exitCode: exitCodes.usage });
  }
  if (direct !== undefined) {
    checkSecret(direct);
    if (config === undefined) return { secret: direct, issuer: undefined, audience: undefined };
  }
  // A secret given on the command line takes the place of both settings, so that the two never stand side by side.
  const { ["SLUICE_AUTH__HS256_SECRET"]: _secret, ["SLUICE_AUTH__HS256_SECRET_FILE"]: _file, ...rest } = env;
  const { settings } = settingsOrProblems({
    ...(config === undefined ? {} : { file: config }),
    env: secretFile === undefined ? env : rest,
    flags: secretFile === undefined ? [] : [`--auth.hs256_secret_file=${secretFile}`],
  });
  const { auth } = settings;
  const secret = direct ?? auth.hs256_secret;
  if (secret === null) {
    const hint = auth.dev
      ? "This configuration has auth.dev on: the service takes any token, and none."
      : "Give --secret-file, --secret or --config, or set SLUICE_AUTH__HS256_SECRET or SLUICE_AUTH__HS256_SECRET_FILE.";
    throw new CliError("there is no shared secret to sign with", { exitCode: exitCodes.usage, hint });
  }
  return { secret, issuer: auth.issuer ?? undefined, audience: auth.audience[0] };
}

/** Never repeats the secret. */
function checkSecret(secret: string): void {
  const bytes = Buffer.byteLength(secret);
  if (bytes >= secretBytesMin) return;
  throw new CliError(`--secret has ${bytes} bytes; HS256 needs at least ${secretBytesMin} (RFC 7518 §3.2)`, {
    exitCode: exitCodes.usage,
  });
}
