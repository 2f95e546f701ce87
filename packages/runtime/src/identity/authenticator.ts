// From a token to who bears it: by its signature, or by asking the issuer.
import type { Clock } from "../clock.js";
import { authFailure, type AuthFailureReason } from "./auth-failures.js";
import {
  authWarnings,
  checkAuthSettings,
  publishesKeys,
  type AuthenticatorSettings,
} from "./authenticator-settings.js";
import { BoundedCache } from "./bounded-cache.js";
import type { Fetch } from "./fetch-text.js";
import { isBearerToken } from "./find-token.js";
import { identityFromClaims, jwtOrigin, type ClaimsRules } from "./identity-from-claims.js";
import { neverExpiresMs, type Authenticator, type AuthOutcome, type Identity } from "./identity.js";
import { Introspection, type IntrospectedToken } from "./introspection.js";
import { JwksCache } from "./jwks-cache.js";
import { keysAt, keysOfIssuer } from "./key-source.js";
import { allRights } from "./rights.js";
import { digestToken } from "./token-digest.js";
import { isJwtShaped, TokenVerifier } from "./token-verifier.js";

/** What an authenticator needs besides its settings. */
export interface AuthenticatorOptions {
  readonly clock: Clock;
  /** Longest token looked at, bytes (`limits.token_bytes`); default 12,288. */
  readonly tokenBytesMax?: number;
  /** For questions to the issuer; default the global `fetch`. */
  readonly fetch?: Fetch;
  /** Told the reason of every refusal, for a metric. */
  readonly onFailure?: (reason: AuthFailureReason) => void;
  /** Told why the issuer could not be asked: a sentence for an operator's log, without token or credentials. */
  readonly onTrouble?: (trouble: string) => void;
}

/** An authenticator as {@link createAuthenticator} makes it. */
export interface ConfiguredAuthenticator extends Authenticator {
  /** What in the settings should be thought over, for the log at the start; no secret in it. */
  readonly warnings: readonly string[];
}

/** Who everybody is in dev mode. */
const devIdentity: Identity = { userId: "dev", expiresAtMs: neverExpiresMs, rights: allRights };

/** `limits.token_bytes` by default. */
export const tokenBytesMaxDefault = 12_288;

/**
 * An authenticator for these settings. Asks no issuer before the first token.
 * @throws {AuthSettingsError} when they can't work.
 */
export function createAuthenticator(
  settings: AuthenticatorSettings,
  options: AuthenticatorOptions,
): ConfiguredAuthenticator {
  checkAuthSettings(settings);
  const warnings = authWarnings(settings);
  if (settings.dev) {
    return { warnings, authenticate: async () => ({ ok: true, identity: devIdentity }), close: async () => {} };
  }
  const authenticator = new TokenAuthenticator(settings, options);
  return {
    warnings,
    authenticate: (token) => authenticator.authenticate(token),
    close: async () => authenticator.close(),
  };
}

/** Verified tokens held, bytes: about 4,000 ordinary ones. */
const verifiedBytesMax = 4 * 1_048_576;
/** An opaque token whose issuer tells no `exp` is good for the cache time, at least this, ms. */
const expiryDefaultMsMin = 30_000;
/** RFC 7662 §2.2; a token of client credentials has no user, its client is who acts (RFC 9068 §2.2). */
const introspectedUserClaims = ["sub", "username", "client_id"];

interface Verified {
  readonly identity: Identity;
  readonly version: number | undefined;
}

class TokenAuthenticator implements Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #rules: ClaimsRules;
  readonly #keys: JwksCache | null;
  readonly #verifier: TokenVerifier | null;
  readonly #introspection: Introspection | null;
  readonly #expiryDefaultMs: number;
  readonly #verified: BoundedCache<Verified>;
  readonly #underWay = new Map<string, Promise<AuthOutcome>>();

  constructor(settings: AuthenticatorSettings, options: AuthenticatorOptions) {
    this.#options = options;
    this.#rules = {
      issuer: settings.issuer,
      audience: settings.audience,
      clockSkewMs: settings.clock_skew_ms,
      groupsClaim: settings.groups_claim,
      rolesClaim: settings.roles_claim,
      mapping: settings.mapping,
    };
    this.#keys = publishedKeys(settings, options);
    const { hs256_secret: secret, algorithms } = settings;
    const verifies = secret !== null || this.#keys !== null;
    this.#verifier = verifies ? new TokenVerifier({ algorithms, secret, keys: this.#keys }) : null;
    this.#introspection = introspection(settings, options);
    this.#expiryDefaultMs = Math.max(settings.introspection_cache_ms, expiryDefaultMsMin);
    this.#verified = new BoundedCache({ clock: options.clock, bytesMax: verifiedBytesMax });
  }

  async authenticate(token: string): Promise<AuthOutcome> {
    const outcome = this.#refuseUnread(token) ?? (await this.#look(token));
    if (!outcome.ok) this.#options.onFailure?.(outcome.reason);
    return outcome;
  }

  async close(): Promise<void> {
    this.#keys?.close();
    this.#introspection?.close();
  }

  /** Before anything is decoded or hashed. */
  #refuseUnread(token: string): AuthOutcome | undefined {
    if (token === "") return authFailure("missing");
    // UTF-16 units: what is no ASCII is refused next, so they are bytes.
    if (token.length > (this.#options.tokenBytesMax ?? tokenBytesMaxDefault)) return authFailure("too_large");
    return isBearerToken(token) ? undefined : authFailure("malformed");
  }

  async #look(token: string): Promise<AuthOutcome> {
    if (this.#verifier !== null) {
      // First: to know a token again costs a third of seeing that it is a JWT.
      const key = digestToken(token);
      const verified = this.#verified.get(key);
      if (verified !== undefined && this.#isGood(verified)) return { ok: true, identity: verified.identity };
      if (isJwtShaped(token)) return this.#verifyOnce(token, key, this.#verifier);
    }
    if (this.#introspection === null) return authFailure("malformed");
    return this.#judge(await this.#introspection.introspect(token));
  }

  /** A token that many bring at once is verified for all of them. */
  async #verifyOnce(token: string, key: string, verifier: TokenVerifier): Promise<AuthOutcome> {
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const verifying = this.#verify(token, key, verifier).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, verifying);
    return verifying;
  }

  async #verify(token: string, key: string, verifier: TokenVerifier): Promise<AuthOutcome> {
    const outcome = await verifier.verify(token);
    if (!outcome.ok) return outcome;
    const wallMs = this.#options.clock.wall();
    const judged = identityFromClaims(outcome.claims, this.#rules, jwtOrigin, wallMs);
    if (judged.ok) {
      const { identity } = judged;
      this.#verified.set(key, { identity, version: outcome.version }, identity.expiresAtMs - wallMs, token.length);
    }
    return judged;
  }

  #isGood({ identity, version }: Verified): boolean {
    if (identity.expiresAtMs <= this.#options.clock.wall()) return false;
    return version === undefined || this.#keys?.isCurrent(version) === true;
  }

  #judge(answer: IntrospectedToken): AuthOutcome {
    if (!answer.ok) return answer;
    const origin = {
      userClaims: introspectedUserClaims,
      issuerOptional: true,
      expiresAtMsDefault: answer.answeredAtMs + this.#expiryDefaultMs,
    };
    return identityFromClaims(answer.claims, this.#rules, origin, this.#options.clock.wall());
  }
}

function publishedKeys(settings: AuthenticatorSettings, options: AuthenticatorOptions): JwksCache | null {
  if (!publishesKeys(settings)) return null;
  const { clock, onTrouble, fetch: send = fetch } = options;
  const { issuer, jwks_url: url, jwks_max_age_ms: maxAgeMs } = settings;
  const source =
    url === null ? keysOfIssuer(issuer ?? "", send, () => clock.now(), maxAgeMs) : keysAt(new URL(url), send);
  return new JwksCache({
    source,
    clock,
    cooldownMs: settings.jwks_cooldown_ms,
    maxAgeMs,
    staleMs: settings.jwks_stale_ms,
    ...(onTrouble && { onTrouble }),
  });
}

function introspection(settings: AuthenticatorSettings, options: AuthenticatorOptions): Introspection | null {
  const {
    introspection_url: url,
    introspection_client_id: clientId,
    introspection_client_secret: clientSecret,
  } = settings;
  if (url === null || clientId === null || clientSecret === null) return null;
  const { clock, onTrouble, fetch: send = fetch } = options;
  const cacheMs = settings.introspection_cache_ms;
  return new Introspection({
    url: new URL(url),
    clientId,
    clientSecret,
    cacheMs,
    clock,
    fetch: send,
    ...(onTrouble && { onTrouble }),
  });
}
