// What the gateway counts, as plain numbers that are read when metrics are scraped.
import { type AuthFailureReason, handshakeBuckets, HistogramInstrument } from "@sluice/runtime";
import type { DialFailure } from "./handshake/dial-backend.js";
import type { TunnelEnd, TunnelMeter } from "./tunnel/tunnel.js";

/** Why a handshake or request was refused beside authentication. */
export type RefusalReason =
  | "malformed"
  | "host"
  | "origin"
  | "rate"
  | "capacity"
  | "draining"
  | "timeout"
  | "no-backend"
  | "backend-refused";

class Counts<Key extends string> {
  readonly #counts = new Map<Key, number>();

  add(key: Key): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  [Symbol.iterator](): IterableIterator<[Key, number]> {
    return this.#counts.entries();
  }
}

export class GatewayTally implements TunnelMeter {
  bytesToClients = 0;
  bytesToBackends = 0;
  tunnelsOpened = 0;
  requests = 0;
  ticketsIssued = 0;
  retries = 0;
  readonly refused = new Counts<RefusalReason>();
  readonly authFailures = new Counts<AuthFailureReason>();
  readonly backendErrors = new Counts<DialFailure | "lost" | "fault" | "stalled">();
  readonly ends = new Counts<TunnelEnd>();
  readonly handshakeSeconds = new HistogramInstrument(handshakeBuckets);

  countEnd(end: TunnelEnd): void {
    this.ends.add(end);
    if (end === "backend-lost") this.backendErrors.add("lost");
    if (end === "backend-fault") this.backendErrors.add("fault");
    if (end === "backend-stalled") this.backendErrors.add("stalled");
  }
}
