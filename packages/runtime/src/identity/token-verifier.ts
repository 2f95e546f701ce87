// JSON Web Tokens (RFC 7519): which key may have signed one, and whether it did. Reads nothing of the claims. A key named
// or carried in the token's own header (`jwk`, `jku`, `x5u`, `x5c`) is never looked at.
import { compactVerify, decodeProtectedHeader, errors, type CryptoKey, type ProtectedHeaderParameters } from "jose";
import { authFailure, type AuthFailure } from "./auth-failures.js";
import { sharedSecretAlgorithm } from "./authenticator-settings.js";
import { isClaims, type Claims } from "./claims.js";
import type { JwksCache } from "./jwks-cache.js";

/** What a {@link TokenVerifier} believes. */
export interface TokenVerifierOptions {
  /** Allow-list of `alg`. HS256 goes only with `secret`, every other only with `keys`. */
  readonly algorithms: readonly string[];
  readonly secret: string | null;
  readonly keys: JwksCache | null;
}

/** The claims of a token whose signature is good. `version` is the key set's, undefined for the shared secret. */
export type VerifiedToken =
  | { readonly ok: true; readonly claims: Claims; readonly version: number | undefined }
  | AuthFailure;

/** Whether `token` is a JWT by its shape: three parts, the first a JSON object with an `alg`. Says nothing of its worth. */
export function isJwtShaped(token: string): boolean {
  return token.split(".", 4).length === 3 && headerOf(token) !== undefined;
}

/** Verifies signatures. */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #secretKey: Promise<CryptoKey> | undefined;

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
    // Imported once: with the raw bytes each token would import them anew, half of the cost of HS256.
    this.#secretKey = options.secret === null ? undefined : importSecret(options.secret);
  }

  /** The claims of `token`, or why it is not believed. Never rejects for what the token holds. */
  async verify(token: string): Promise<VerifiedToken> {
    const header = headerOf(token);
    if (header === undefined) return authFailure("malformed");
    if (!this.#options.algorithms.includes(header.alg)) return authFailure("algorithm_not_allowed");
    // We know no extension, and who does not know one that is critical must refuse (RFC 7515 §4.1.11).
    if (header.crit !== undefined) return authFailure("malformed");
    if (header.alg === sharedSecretAlgorithm) return this.#verifyShared(token);
    return this.#verifyPublished(token, header, this.#options.keys);
  }

  async #verifyShared(token: string): Promise<VerifiedToken> {
    if (this.#secretKey === undefined) return authFailure("algorithm_not_allowed");
    return verifyWith(token, sharedSecretAlgorithm, await this.#secretKey, undefined);
  }

  async #verifyPublished(token: string, header: Header, keys: JwksCache | null): Promise<VerifiedToken> {
    if (keys === null) return authFailure("algorithm_not_allowed");
    let lookup = await keys.find(header);
    if (lookup.kind === "found") {
      const outcome = await verifyWithAny(token, header.alg, lookup.keys, lookup.version);
      // Without `kid` only the signature tells that the issuer has changed its key.
      if (outcome.ok || outcome.reason !== "bad_signature" || header.kid !== undefined) return outcome;
      lookup = await keys.findNewer(header, lookup.version);
      if (lookup.kind !== "found") return outcome;
      return verifyWithAny(token, header.alg, lookup.keys, lookup.version);
    }
    return lookup.kind === "unknown"
      ? authFailure("unknown_key")
      : authFailure("issuer_unavailable", lookup.retryAfterMs);
  }
}

type Header = ProtectedHeaderParameters & { alg: string };

function headerOf(token: string): Header | undefined {
  try {
    const header = decodeProtectedHeader(token);
    return typeof header.alg === "string" ? { ...header, alg: header.alg } : undefined;
  } catch {
    return undefined;
  }
}

function importSecret(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", Buffer.from(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

async function verifyWithAny(
  token: string,
  algorithm: string,
  keys: readonly CryptoKey[],
  version: number,
): Promise<VerifiedToken> {
  let failure = authFailure("unknown_key");
  for (const key of keys) {
    const tried = await verifyWith(token, algorithm, key, version);
    // A key that is no good says nothing about the token; one that does not fit says that it is not the signer's.
    if (tried.ok || tried.reason === "malformed") return tried;
    if (tried.reason === "bad_signature") failure = tried;
  }
  return failure;
}

async function verifyWith(
  token: string,
  algorithm: string,
  key: CryptoKey,
  version: number | undefined,
): Promise<VerifiedToken> {
  try {
    const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return isClaims(claims) ? { ok: true, claims, version } : authFailure("malformed");
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return authFailure("bad_signature");
    // jose throws a TypeError for a key that is no good, such as RSA under 2048 bits (RFC 7518 §3.3).
    return authFailure(error instanceof TypeError && version !== undefined ? "unknown_key" : "malformed");
  }
}
