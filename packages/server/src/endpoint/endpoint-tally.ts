// What the endpoint counts, as plain numbers that are read when metrics are scraped.

import type { AuthFailureReason } from "@sluice/runtime";

/** Label of a connection that ended without a close frame (RFC 6455 §7.1.5). */
const abnormalClosure = 1006;
/** Codes counted by themselves; a peer can send any from 3000 to 4999, and a label must have few values. */
const knownCodes: ReadonlySet<number> = new Set([
  1000, 1001, 1002, 1003, 1005, abnormalClosure, 1007, 1008, 1009, 1011, 1012, 1013, 4401, 4403, 4408,
]);

export class EndpointTally {
  opened = 0;
  bytesIn = 0;
  ticketsIssued = 0;
  readonly closed = new Map<string, number>();
  readonly authFailures = new Map<AuthFailureReason, number>();
  /** Handshakes refused before or beside authentication, by why. */
  readonly refused = { malformed: 0, origin: 0, capacity: 0, draining: 0, timeout: 0 };

  countClosed(code: number): void {
    const label = knownCodes.has(code) ? String(code) : "other";
    this.closed.set(label, (this.closed.get(label) ?? 0) + 1);
  }

  countAuthFailure(reason: AuthFailureReason): void {
    this.authFailures.set(reason, (this.authFailures.get(reason) ?? 0) + 1);
  }
}
