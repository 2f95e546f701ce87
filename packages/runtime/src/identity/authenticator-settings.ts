// What the authenticator reads of the settings `auth.*`, and what in it can't work or should be thought over.
import { mappingFault, type MappingEntry } from "./rights-from-claims.js";

/** A part of the settings `auth.*`; a loaded `Settings["auth"]` fits. `hs256_secret_file` is already read into the secret. */
export interface AuthenticatorSettings {
  readonly dev: boolean;
  readonly hs256_secret: string | null;
  readonly issuer: string | null;
  readonly jwks_url: string | null;
  readonly introspection_url: string | null;
  readonly introspection_client_id: string | null;
  readonly introspection_client_secret: string | null;
  readonly audience: readonly string[];
  readonly algorithms: readonly string[];
  readonly clock_skew_ms: number;
  readonly jwks_cooldown_ms: number;
  readonly jwks_max_age_ms: number;
  readonly jwks_stale_ms: number;
  readonly introspection_cache_ms: number;
  readonly groups_claim: string;
  readonly roles_claim: string;
  readonly mapping: readonly MappingEntry[];
}

/** Settings that no authenticator can be made of. The message names the key, never a value. */
export class AuthSettingsError extends Error {
  override readonly name = "AuthSettingsError";
}

/** The one algorithm for a shared secret. */
export const sharedSecretAlgorithm = "HS256";

/** Shortest secret that HS256 is good with, bytes (RFC 7518 §3.2). */
const secretBytesMin = 32;

/** Where published keys come from: `jwks_url`, else discovery at an `issuer` that is a URL. */
export function publishesKeys(settings: AuthenticatorSettings): boolean {
  return settings.jwks_url !== null || (settings.issuer !== null && URL.canParse(settings.issuer));
}

/** @throws {AuthSettingsError} on what can't work. */
export function checkAuthSettings(settings: AuthenticatorSettings): void {
  if (settings.dev) return;
  const { hs256_secret: secret, introspection_url: introspectionUrl } = settings;
  if (secret === "") throw new AuthSettingsError("auth.hs256_secret is empty");
  if (secret === null && introspectionUrl === null && !publishesKeys(settings)) {
    throw new AuthSettingsError(
      "nobody can authenticate: set one of auth.hs256_secret, auth.issuer, auth.jwks_url, auth.introspection_url, auth.dev",
    );
  }
  const { introspection_client_id: id, introspection_client_secret: clientSecret } = settings;
  if (introspectionUrl !== null && (id === null || clientSecret === null)) {
    throw new AuthSettingsError(
      "auth.introspection_url needs auth.introspection_client_id and auth.introspection_client_secret",
    );
  }
  for (const key of ["jwks_url", "introspection_url"] as const) {
    const url = settings[key];
    if (url !== null && !isHttpUrl(url)) throw new AuthSettingsError(`auth.${key} is no http or https URL`);
  }
  for (const algorithm of settings.algorithms) {
    if (algorithm !== sharedSecretAlgorithm && !/^(?:[REP]S\d{3}|EdDSA|Ed25519)$/.test(algorithm)) {
      throw new AuthSettingsError("auth.algorithms names an algorithm that is not supported");
    }
  }
  const fault = mappingFault(settings.mapping);
  if (fault !== undefined) throw new AuthSettingsError(`auth.${fault}`);
}

/** What an operator should know at the start: sentences without a secret in them, empty when all is well. */
export function authWarnings(settings: AuthenticatorSettings): string[] {
  if (settings.dev) return ["auth.dev is on: every caller, with any token or none, has all rights"];
  const warnings: string[] = [];
  const secret = settings.hs256_secret;
  if (secret !== null && Buffer.byteLength(secret) < secretBytesMin) {
    warnings.push(`auth.hs256_secret is shorter than ${secretBytesMin} bytes (RFC 7518 §3.2): it can be guessed`);
  }
  if (secret !== null && !settings.algorithms.includes(sharedSecretAlgorithm)) {
    warnings.push("auth.hs256_secret is never used: auth.algorithms lacks HS256");
  }
  if (publishesKeys(settings)) {
    if (settings.algorithms.every((algorithm) => algorithm === sharedSecretAlgorithm)) {
      warnings.push("the issuer's keys are never used: auth.algorithms names only HS256");
    }
    if (settings.issuer === null) warnings.push("auth.issuer is not set: a token may name any issuer");
    if (settings.audience.length === 0) {
      warnings.push("auth.audience is empty: tokens that the issuer made for other services are accepted too");
    }
  }
  return warnings;
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
