// A token signed with the service's shared secret, wherever that is configured.
import { adminScope, mintToken, publishScope } from "@sluice/runtime";
import { CliError } from "../cli-error.js";
import { settingsOrProblems } from "../config/settings-or-problems.js";
import { exitCodes } from "../exit-codes.js";
import type { Terminal } from "../terminal/terminal.js";

/** What the token shall say, and what it is signed with. */
export interface TokenRequest {
  readonly sub: string;
  readonly events?: readonly string[];
  readonly clusters?: readonly string[];
  readonly publish?: boolean;
  readonly admin?: boolean;
  /** Until it expires, ms. */
  readonly ttl: number;
  readonly secret?: string;
  readonly secretFile?: string;
  /** The service's YAML file. */
  readonly config?: string;
  readonly issuer?: string;
  readonly audience?: string;
}

/** Makes the token. @throws {CliError} where there is no secret, or the configuration is wrong. */
export async function makeToken(request: TokenRequest, env: Terminal["env"]): Promise<string> {
  const { sub, events, clusters, publish, admin, ttl } = request;
  if (sub.trim() === "") throw new CliError("--sub must not be empty", { exitCode: exitCodes.usage });
  const { secret, issuer, audience } = readSecret(request, env);
  const scopes = [...(publish === true ? [publishScope] : []), ...(admin === true ? [adminScope] : [])];
  return mintToken(secret, {
    sub,
    events,
    clusters,
    ttlMs: ttl,
    issuer: request.issuer ?? issuer,
    audience: request.audience ?? audience,
    scope: scopes.length === 0 ? undefined : scopes.join(" "),
  });
}

interface Signing {
  readonly secret: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

function readSecret(options: TokenRequest, env: Terminal["env"]): Signing {
  const { secret: direct, secretFile, config } = options;
  if (direct !== undefined && secretFile !== undefined) {
    throw new CliError("--secret and --secret-file are both given; give one", { exitCode: exitCodes.usage });
  }
  if (direct === "") throw new CliError("--secret is empty", { exitCode: exitCodes.usage });
  if (direct !== undefined && config === undefined) return { secret: direct, issuer: undefined, audience: undefined };
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
