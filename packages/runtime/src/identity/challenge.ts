// How a refusal reads in HTTP: status, `WWW-Authenticate` (RFC 6750 §3) and `Retry-After`.
import { authFailures, type AuthFailure } from "./auth-failures.js";

/** Where the caller knocked: at the WebSocket handshake a missing token is answered as a bad one (protocol §1). */
export type ChallengeSite = "handshake" | "http";

/** The head of a refusing response. */
export interface Challenge {
  readonly status: 401 | 403 | 503;
  /** Lower-case names; `www-authenticate` with 401 and 403, `retry-after` (whole seconds) with 503. */
  readonly headers: Readonly<Record<string, string>>;
  /** For the problem's `detail`; from the table of reasons, so it holds nothing of the request. */
  readonly detail: string;
}

const retryAfterDefaultMs = 1_000;

/** The response to a caller who could not be authenticated. */
export function challengeFor(failure: AuthFailure, site: ChallengeSite): Challenge {
  const { status, message } = authFailures[failure.reason];
  if (status === 503) {
    const retryAfter = Math.ceil((failure.retryAfterMs ?? retryAfterDefaultMs) / 1000);
    return { status, headers: { "retry-after": String(retryAfter) }, detail: message };
  }
  const value = failure.reason === "missing" && site === "http" ? "Bearer" : invalidToken(message);
  return { status, headers: { "www-authenticate": value }, detail: message };
}

/** The response to a caller who is known and lacks `scope` (RFC 6750 §3.1 `insufficient_scope`). */
export function scopeChallenge(scope: string): Challenge {
  const detail = `The token lacks the scope ${scope}`;
  const value = `Bearer error="insufficient_scope", error_description="${detail}", scope="${scope}"`;
  return { status: 403, headers: { "www-authenticate": value }, detail };
}

function invalidToken(message: string): string {
  return `Bearer error="invalid_token", error_description="${message}"`;
}
