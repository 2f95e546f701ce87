// What the endpoint counts, as plain numbers that are read when metrics are scraped.

import type { AuthFailureReason } from "@sluice/runtime";

export class EndpointTally {
  opened = 0;
  bytesIn = 0;
  ticketsIssued = 0;
  /** By close code; 1006 is an end without a close frame (RFC 6455 §7.1.5). At most the codes there are, 5,000. */
  readonly closed = new Map<string, number>();
  readonly authFailures = new Map<AuthFailureReason, number>();
  /** Handshakes refused before or beside authentication, by why. */
  readonly refused = { malformed: 0, origin: 0, capacity: 0, draining: 0, timeout: 0 };

  countClosed(code: number): void {
    const label = String(code);
    this.closed.set(label, (this.closed.get(label) ?? 0) + 1);
  }

  countAuthFailure(reason: AuthFailureReason): void {
    this.authFailures.set(reason, (this.authFailures.get(reason) ?? 0) + 1);
  }
}
