// What sessions count, as plain numbers that are read when metrics are scraped.

import type { Command, ErrorCode } from "@sluice/protocol";

export class SessionTally {
  readonly commands: Record<Command["type"], number> = { subscribe: 0, unsubscribe: 0, ping: 0, pong: 0, refresh: 0 };
  readonly errors = new Map<ErrorCode, number>();
  heartbeatMisses = 0;
  heartbeatTimeouts = 0;

  countError(code: ErrorCode): void {
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
