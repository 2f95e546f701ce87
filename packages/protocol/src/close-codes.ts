// The one table of how a connection ends (protocol §7): code, reason, and what the client does next. When each is sent
// stands in `close-meanings.ts`, so that a page that loads the client doesn't load prose.

import { closeDuty, type CloseDuty } from "./close-duty.js";

/** One way for a connection to end. */
export interface CloseEntry {
  /** RFC 6455 §7.4 status code. */
  readonly code: number;
  /** Sent with it; at most 123 bytes (125 of a control payload less 2 for the code). */
  readonly reason: string;
  readonly duty: CloseDuty;
}

function entry<const Reason extends string>(code: number, reason: Reason) {
  return { code, reason, duty: closeDuty(code, reason) };
}

export const closes = {
  heartbeatTimeout: entry(1000, "Connection timeout"),
  protocolError: entry(1002, "Protocol error"),
  textOnly: entry(1003, "Text frames only"),
  invalidUtf8: entry(1007, "Invalid UTF-8"),
  authenticationFailed: entry(1008, "Authentication failed"),
  policyViolation: entry(1008, "Policy violation"),
  messageTooBig: entry(1009, "Message too big"),
  internalError: entry(1011, "Internal error"),
  backendUnavailable: entry(1011, "Backend unavailable"),
  serviceRestart: entry(1012, "Service restart"),
  tryAgainLater: entry(1013, "Try again later"),
  tokenExpired: entry(4401, "Token expired"),
  revoked: entry(4403, "Revoked"),
  slowConsumer: entry(4408, "Slow consumer"),
} satisfies Record<string, CloseEntry>;

export type CloseName = keyof typeof closes;
