// What the operating system says about a connection, in words.

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused; nothing listens there",
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed from the other side",
  ETIMEDOUT: "no answer in time",
  EHOSTUNREACH: "the host can't be reached",
  ENETUNREACH: "the network can't be reached",
  ENOTFOUND: "there is no host of this name",
  EAI_AGAIN: "the host's name can't be looked up at the moment",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is self-signed (NODE_EXTRA_CA_CERTS names one to trust)",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is self-signed (NODE_EXTRA_CA_CERTS names one to trust)",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the server's certificate can't be verified (NODE_EXTRA_CA_CERTS names one to trust)",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
  EPROTO: "the other side does not speak TLS",
  HPE_INVALID_CONSTANT: "the other side does not speak HTTP",
  UND_ERR_SOCKET: "the connection was closed before the answer",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
};

/** The cause of a failed connection; looks through `fetch failed` and at the first of several addresses. */
export function describeNetworkError(error: unknown): string {
  const code = networkErrorCode(error);
  if (code !== undefined) return words[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of an error or of what caused it. */
export function networkErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return networkErrorCode(error.errors[0]);
  return networkErrorCode(error.cause);
}
