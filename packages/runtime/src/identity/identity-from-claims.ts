// The claims check (RFC 7519 §4.1), the same one for a verified JWT and for an issuer's answer about an opaque token.
import { authFailure, type AuthFailureReason } from "./auth-failures.js";
import { readClaim, type Claims } from "./claims.js";
import { neverExpiresMs, type AuthOutcome } from "./identity.js";
import { rightsFromClaims, type RightsRules } from "./rights-from-claims.js";

/** What claims are held against. */
export interface ClaimsRules extends RightsRules {
  /** The only `iss` accepted; null = any, or none. */
  readonly issuer: string | null;
  /** `aud` must hold one of these; empty = any, or none. */
  readonly audience: readonly string[];
  /** Leeway for `exp` and `nbf`, ms. */
  readonly clockSkewMs: number;
}

/** What differs between the two kinds of token. */
export interface ClaimsOrigin {
  /** Claims that name the user, the first that is there. */
  readonly userClaims: readonly string[];
  /** Whether `iss` may be absent although an issuer is configured. */
  readonly issuerOptional: boolean;
  /** Wall-clock ms that stand in for an absent `exp`; undefined = `exp` is required. */
  readonly expiresAtMsDefault: number | undefined;
}

/** A JWT must say everything itself. */
export const jwtOrigin: ClaimsOrigin = { userClaims: ["sub"], issuerOptional: false, expiresAtMsDefault: undefined };

/** Longest user id, characters. */
const userIdLengthMax = 256;

const secondMs = 1_000;

/**
 * Who the claims speak of, by the wall clock `wallMs`. A token within the leeway after its `exp` is good until the end
 * of the leeway, any other until its `exp`.
 */
export function identityFromClaims(
  claims: Claims,
  rules: ClaimsRules,
  origin: ClaimsOrigin,
  wallMs: number,
): AuthOutcome {
  const wrong = issuerFault(claims, rules, origin) ?? audienceFault(claims, rules);
  if (wrong !== undefined) return authFailure(wrong);

  const notBefore = readClaim(claims, "nbf");
  if (notBefore !== undefined && !isNumericDate(notBefore)) return authFailure("bad_claim");
  if (notBefore !== undefined && notBefore * secondMs > wallMs + rules.clockSkewMs) return authFailure("not_yet_valid");

  const exp = readClaim(claims, "exp");
  if (exp === undefined && origin.expiresAtMsDefault === undefined) return authFailure("missing_claim");
  if (exp !== undefined && !isNumericDate(exp)) return authFailure("bad_claim");
  const expiryMs = exp === undefined ? (origin.expiresAtMsDefault ?? wallMs) : exp * secondMs;
  const leewayEndMs = expiryMs + rules.clockSkewMs;
  if (leewayEndMs <= wallMs) return authFailure("expired");
  const expiresAtMs = Math.min(expiryMs > wallMs ? expiryMs : leewayEndMs, neverExpiresMs);

  const userClaim = origin.userClaims.find((name) => Object.hasOwn(claims, name));
  if (userClaim === undefined) return authFailure("missing_claim");
  const userId = readClaim(claims, userClaim);
  if (!isUserId(userId)) return authFailure("bad_claim");

  const rights = rightsFromClaims(claims, rules);
  return rights === undefined ? authFailure("bad_claim") : { ok: true, identity: { userId, expiresAtMs, rights } };
}

function issuerFault(claims: Claims, rules: ClaimsRules, origin: ClaimsOrigin): AuthFailureReason | undefined {
  if (rules.issuer === null) return undefined;
  const issuer = readClaim(claims, "iss");
  if (issuer === undefined) return origin.issuerOptional ? undefined : "missing_claim";
  return issuer === rules.issuer ? undefined : "wrong_issuer";
}

function audienceFault(claims: Claims, rules: ClaimsRules): AuthFailureReason | undefined {
  if (rules.audience.length === 0) return undefined;
  const audience = readClaim(claims, "aud");
  if (audience === undefined) return "missing_claim";
  const members: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  return rules.audience.some((ours) => members.includes(ours)) ? undefined : "wrong_audience";
}

/** RFC 7519 §2 NumericDate: seconds, fractions allowed; `1e999` parses to Infinity, which is no time. */
function isNumericDate(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Control characters would forge log lines; lone surrogates turn into one another when written as UTF-8. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

function isUserId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= userIdLengthMax && !unprintable.test(value);
}
