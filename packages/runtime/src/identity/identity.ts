// Who a caller is and until when: what authentication comes to.
import type { AuthFailure } from "./auth-failures.js";
import type { Rights } from "./rights.js";

/**
 * Wall-clock ms that stand for "does not expire": the last second that RFC 3339 can write. Later expiries are cut to
 * it, so that every `expiresAtMs` is a valid `Date`. Too far for a single `setTimeout` (2^31 − 1 ms).
 */
export const neverExpiresMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** An authenticated caller. */
export interface Identity {
  /** `sub` of the token: 1 to 256 characters, no control characters. */
  readonly userId: string;
  /** Wall-clock ms since the Unix epoch from which the identity is void; at most {@link neverExpiresMs}. */
  readonly expiresAtMs: number;
  readonly rights: Rights;
}

/** What a look at a token comes to. */
export type AuthOutcome = { readonly ok: true; readonly identity: Identity } | AuthFailure;

/** Turns a token into who bears it. */
export interface Authenticator {
  /**
   * Verifies one token. Never rejects for what a token holds; `""` stands for no token (`missing`, or the `dev` user in
   * dev mode).
   */
  authenticate(token: string): Promise<AuthOutcome>;
  /** Ends what is under way to the issuer. A second call does nothing. */
  close(): Promise<void>;
}
