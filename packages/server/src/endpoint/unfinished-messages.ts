// Messages that have begun and don't end: a client may not hold what it began to send for longer than its share of
// time. One timer for all connections.

import type { Clock } from "@sluice/runtime";

/** How long a message may take from its first byte to its last, ms. */
export const messageMsMax = 5000;

const checkMs = 500;

/** What is watched of a connection. */
export interface Incoming {
  /** Whether we ourselves have stopped reading it: then its time doesn't count. */
  isHeld(): boolean;
  /** Its message took too long. */
  expire(): void;
}

/** Watches all connections of an endpoint. A message has {@link messageMsMax}, and half a second more at most. */
export class UnfinishedMessages {
  readonly #clock: Clock;
  readonly #begunAtMs = new Map<Incoming, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the looking; what begins afterwards begins it again. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Bytes came: if nothing had begun, something has now. While something has, it is looked at twice a second. */
  began(incoming: Incoming): void {
    if (!this.#begunAtMs.has(incoming)) this.#begunAtMs.set(incoming, this.#clock.now());
    this.#timer ??= setInterval(() => this.check(), checkMs).unref();
  }

  /** A whole message came, or the connection has gone. */
  ended(incoming: Incoming): void {
    this.#begunAtMs.delete(incoming);
  }

  check(): void {
    const now = this.#clock.now();
    // Most are whole at once: the timer is ended here, and not begun anew with every message.
    if (this.#begunAtMs.size === 0) this.stop();
    for (const [incoming, begunAtMs] of this.#begunAtMs) {
      if (incoming.isHeld()) this.#begunAtMs.set(incoming, now);
      else if (now - begunAtMs > messageMsMax) {
        this.#begunAtMs.delete(incoming);
        incoming.expire();
      }
    }
  }
}
