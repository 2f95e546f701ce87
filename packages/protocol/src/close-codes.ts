// The one table of how a connection ends (protocol §7): code, reason, and what the client does next. When each is sent
// stands in `close-meanings.ts`, so that a page that loads the client doesn't load prose.

/** What a client does after a close. `reconnect` always with backoff and resuming. */
export type CloseDuty = "reconnect" | "reconnect-after" | "new-token" | "stop";

/** One way for a connection to end. */
export interface CloseEntry {
  /** RFC 6455 §7.4 status code. */
  readonly code: number;
  /** Sent with it; at most 123 bytes (125 of a control payload less 2 for the code). */
  readonly reason: string;
  readonly duty: CloseDuty;
}

export const closes = {
  heartbeatTimeout: { code: 1000, reason: "Connection timeout", duty: "reconnect" },
  protocolError: { code: 1002, reason: "Protocol error", duty: "stop" },
  textOnly: { code: 1003, reason: "Text frames only", duty: "stop" },
  invalidUtf8: { code: 1007, reason: "Invalid UTF-8", duty: "stop" },
  authenticationFailed: { code: 1008, reason: "Authentication failed", duty: "new-token" },
  policyViolation: { code: 1008, reason: "Policy violation", duty: "stop" },
  messageTooBig: { code: 1009, reason: "Message too big", duty: "stop" },
  internalError: { code: 1011, reason: "Internal error", duty: "reconnect" },
  backendUnavailable: { code: 1011, reason: "Backend unavailable", duty: "reconnect" },
  serviceRestart: { code: 1012, reason: "Service restart", duty: "reconnect-after" },
  tryAgainLater: { code: 1013, reason: "Try again later", duty: "reconnect" },
  tokenExpired: { code: 4401, reason: "Token expired", duty: "new-token" },
  revoked: { code: 4403, reason: "Revoked", duty: "stop" },
  slowConsumer: { code: 4408, reason: "Slow consumer", duty: "reconnect" },
} as const satisfies Record<string, CloseEntry>;

export type CloseName = keyof typeof closes;
