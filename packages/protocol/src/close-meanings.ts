// When a connection is ended with an entry of the table of closes: prose, for the documentation.

import type { CloseName } from "./close-codes.js";

/** Completes "sent when". */
export const closeMeanings: Readonly<Record<CloseName, string>> = {
  heartbeatTimeout: "heartbeat missed `max_missed` times",
  protocolError: "broken framing (RFC 6455)",
  textOnly: "a binary frame",
  invalidUtf8: "bad UTF-8 (RFC 6455 §8.1)",
  authenticationFailed: "a bad token at the handshake (browser)",
  policyViolation: "the client keeps breaking limits",
  messageTooBig: "a message over `limits.message_bytes`",
  internalError: "a fault of ours",
  backendUnavailable: "the gateway has no backend",
  serviceRestart: "drain",
  tryAgainLater: "over capacity",
  tokenExpired: "not refreshed in time",
  revoked: "an operator or a revocation ended it",
  slowConsumer: "policy `disconnect`",
};
