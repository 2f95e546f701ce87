// The one table of how a connection ends (protocol §7): code, reason, and what the client does next.

/** What a client does after a close. `reconnect` always with backoff and resuming. */
export type CloseDuty = "reconnect" | "reconnect-after" | "new-token" | "stop";

/** One way for a connection to end. */
export interface CloseEntry {
  /** RFC 6455 §7.4 status code. */
  readonly code: number;
  /** Sent with it; at most 123 bytes (125 of a control payload less 2 for the code). */
  readonly reason: string;
  readonly when: string;
  readonly duty: CloseDuty;
}

export const closes = {
  heartbeatTimeout: { code: 1000, reason: "Connection timeout", when: "heartbeat missed `max_missed` times", duty: "reconnect" },
  protocolError: { code: 1002, reason: "Protocol error", when: "broken framing (RFC 6455)", duty: "stop" },
  textOnly: { code: 1003, reason: "Text frames only", when: "a binary frame", duty: "stop" },
  invalidUtf8: { code: 1007, reason: "Invalid UTF-8", when: "bad UTF-8 (RFC 6455 §8.1)", duty: "stop" },
  authenticationFailed: { code: 1008, reason: "Authentication failed", when: "a bad token at the handshake (browser)", duty: "new-token" },
  policyViolation: { code: 1008, reason: "Policy violation", when: "the client keeps breaking limits", duty: "stop" },
  messageTooBig: { code: 1009, reason: "Message too big", when: "a message over `limits.message_bytes`", duty: "stop" },
  internalError: { code: 1011, reason: "Internal error", when: "a fault of ours", duty: "reconnect" },
  backendUnavailable: { code: 1011, reason: "Backend unavailable", when: "the gateway has no backend", duty: "reconnect" },
  serviceRestart: { code: 1012, reason: "Service restart", when: "drain", duty: "reconnect-after" },
  tryAgainLater: { code: 1013, reason: "Try again later", when: "over capacity", duty: "reconnect" },
  tokenExpired: { code: 4401, reason: "Token expired", when: "not refreshed in time", duty: "new-token" },
  revoked: { code: 4403, reason: "Revoked", when: "an operator or a revocation ended it", duty: "stop" },
  slowConsumer: { code: 4408, reason: "Slow consumer", when: "policy `disconnect`", duty: "reconnect" },
} as const satisfies Record<string, CloseEntry>;

export type CloseName = keyof typeof closes;
