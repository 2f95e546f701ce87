// The one table of why a caller was not let in: metric label, HTTP status, and what the caller is told.

/** What a refusal says. */
interface AuthFailureEntry {
  /** 401: another token may help. 503: we can't tell now, the same token may be good later. */
  readonly status: 401 | 503;
  /** One sentence for the caller: problem+json `detail`, RFC 6750 `error_description`. Plain ASCII without `"` or `\`. */
  readonly message: string;
}

/** Every reason for which authentication fails. The keys are stable: they are the label of a metric. */
export const authFailures = {
  missing: { status: 401, message: "No token was given" },
  malformed: { status: 401, message: "The token is not well-formed" },
  more_than_one: { status: 401, message: "More than one token was given" },
  place_not_allowed: { status: 401, message: "A token in the query string is not accepted here" },
  too_large: { status: 401, message: "The token is too large" },
  algorithm_not_allowed: { status: 401, message: "The token's signature algorithm is not accepted here" },
  unknown_key: { status: 401, message: "The token is signed with a key that the issuer does not publish" },
  bad_signature: { status: 401, message: "The token's signature does not verify" },
  expired: { status: 401, message: "The token has expired" },
  not_yet_valid: { status: 401, message: "The token is not valid yet" },
  wrong_issuer: { status: 401, message: "The token is from another issuer" },
  wrong_audience: { status: 401, message: "The token is meant for another audience" },
  missing_claim: { status: 401, message: "The token lacks a required claim" },
  bad_claim: { status: 401, message: "A claim of the token is malformed" },
  inactive: { status: 401, message: "The issuer says that the token is not active" },
  ticket_unknown: { status: 401, message: "The ticket is unknown, used or expired" },
  issuer_unavailable: { status: 503, message: "The token can not be checked at the moment" },
} as const satisfies Record<string, AuthFailureEntry>;

/** A reason of {@link authFailures}. */
export type AuthFailureReason = keyof typeof authFailures;

/** A caller that was not let in. */
export interface AuthFailure {
  readonly ok: false;
  readonly reason: AuthFailureReason;
  readonly status: 401 | 503;
  /** With 503: when to try again, ms. */
  readonly retryAfterMs?: number;
}

/** The failure for `reason`; `retryAfterMs` goes with a 503. */
export function authFailure(reason: AuthFailureReason, retryAfterMs?: number): AuthFailure {
  const { status } = authFailures[reason];
  return retryAfterMs === undefined ? { ok: false, reason, status } : { ok: false, reason, status, retryAfterMs };
}
