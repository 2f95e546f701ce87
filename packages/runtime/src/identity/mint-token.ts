// Tokens of our own making, for a service that runs on a shared secret: the command line's and the tests'.
import { SignJWT } from "jose";
import { systemClock, type Clock } from "../clock.js";

/** What a minted token says. */
export interface MintTokenOptions {
  /** The user. */
  readonly sub: string;
  /** Names and trailing-`*` patterns; absent = no `events` claim. */
  readonly events?: readonly string[] | undefined;
  /** Names and trailing-`*` patterns; absent = no `clusters` claim. */
  readonly clusters?: readonly string[] | undefined;
  /** Space-separated: `events:publish`, `admin`. */
  readonly scope?: string | undefined;
  /** Until expiry, ms; cut to whole seconds, as `exp` is (RFC 7519 §2 NumericDate). */
  readonly ttlMs: number;
  readonly issuer?: string | undefined;
  readonly audience?: string | readonly string[] | undefined;
}

/** An HS256 token signed with `secret` (as UTF-8), issued now by `clock`. */
export async function mintToken(
  secret: string,
  options: MintTokenOptions,
  clock: Clock = systemClock,
): Promise<string> {
  const nowMs = clock.wall();
  const { sub, events, clusters, scope, issuer, audience } = options;
  const token = new SignJWT({ ...(events && { events }), ...(clusters && { clusters }), ...(scope && { scope }) })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(sub)
    .setIssuedAt(Math.floor(nowMs / 1000))
    .setExpirationTime(Math.floor((nowMs + options.ttlMs) / 1000));
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(typeof audience === "string" ? audience : [...audience]);
  return token.sign(Buffer.from(secret));
}
