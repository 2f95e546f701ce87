// Tokens with any claims, good and bad ones alike: what a test says is what is signed.
import { createHmac } from "node:crypto";

/** The shared secret of every server that this kit starts. */
export const testSecret = "a secret of the tests, 32 bytes+";

/** Claims of a token; `ttlMs` stands for `exp`, from now. */
export interface TestClaims {
  readonly sub?: string;
  readonly scope?: string;
  readonly events?: readonly string[];
  readonly clusters?: readonly string[];
  /** Until expiry, ms; default an hour. `exp` is whole seconds. */
  readonly ttlMs?: number;
  readonly [claim: string]: unknown;
}

export interface MintOptions {
  readonly secret?: string;
  /** Members of the JOSE header beside `alg: HS256` and `typ: JWT`, or instead of them. */
  readonly header?: Readonly<Record<string, unknown>>;
}

const hourMs = 3_600_000;

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** An HS256 token; a claim given as undefined is left out. Default: user `alice`, an hour. */
export function mint(claims: TestClaims = {}, { secret = testSecret, header = {} }: MintOptions = {}): string {
  const { ttlMs = hourMs, ...rest } = claims;
  const nowMs = Date.now();
  const body = {
    sub: "alice",
    iat: Math.floor(nowMs / 1000),
    exp: Math.floor((nowMs + ttlMs) / 1000),
    ...rest,
  };
  const signed = `${base64url({ alg: "HS256", typ: "JWT", ...header })}.${base64url(body)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** A token that may publish everything. */
export function publisherToken(claims: TestClaims = {}): string {
  return mint({ sub: "publisher", scope: "events:publish", ...claims });
}

/** A token that may see and end every connection. */
export function adminToken(claims: TestClaims = {}): string {
  return mint({ sub: "admin", scope: "admin", ...claims });
}
