// What of a client's offer of subprotocols a backend gets to hear.

/** What may be offered to a backend: neither `bearer` and the token after it, nor Kubernetes' form of one. */
export function subprotocolsWithoutTokens(offered: readonly string[]): string[] {
  return offered.filter((item, index) => {
    return item !== "" && item !== "bearer" && offered[index - 1] !== "bearer" && !item.startsWith("base64url.bearer.");
  });
}
