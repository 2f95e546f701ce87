// A set of public keys as an issuer publishes it (RFC 7517 §5), and which of them may have signed a token.
import { createLocalJWKSet, errors, type CryptoKey, type JSONWebKeySet, type JWTHeaderParameters } from "jose";

/** The keys that fit a token's header: by `kid`, `alg`, `kty`, `use` and `key_ops`. Empty when none does. */
export type KeySet = (header: JWTHeaderParameters) => Promise<readonly CryptoKey[]>;

/** Most keys tried for one token: a token without `kid` fits every key of its algorithm. */
const candidatesMax = 8;

/** Reads a fetched key set; undefined when it is none. */
export function parseKeySet(text: string): KeySet | undefined {
  let find: ReturnType<typeof createLocalJWKSet>;
  try {
    find = createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  } catch {
    return undefined;
  }
  return async (header) => {
    try {
      return [await find(header)];
    } catch (error) {
      // Any other error is about the one key that fits: it can't be imported, which is as good as not there.
      return error instanceof errors.JWKSMultipleMatchingKeys ? firstOf(error) : [];
    }
  };
}

async function firstOf(keys: AsyncIterable<CryptoKey>): Promise<CryptoKey[]> {
  const first: CryptoKey[] = [];
  for await (const key of keys) {
    first.push(key);
    if (first.length === candidatesMax) break;
  }
  return first;
}
