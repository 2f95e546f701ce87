// Reading claims that an issuer wrote and JSON.parse returned.

/** A token's claims set (RFC 7519 §4) or an introspection response (RFC 7662 §2.2), as parsed: nothing in it is checked. */
export type Claims = Readonly<Record<string, unknown>>;

/** A claim of the token itself; undefined when it has none (never something inherited, whatever the name). */
export function readClaim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Whether `value` is a JSON object. */
export function isClaims(value: unknown): value is Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
