// What delivery counts, as plain numbers: a count costs an addition, and is read when metrics are scraped.

import type { Policy } from "@sluice/protocol";
import { deliveryLatencyBuckets, HistogramInstrument } from "@sluice/runtime";
import type { SharedEvent } from "../routing/shared-event.js";

const msPerS = 1000;

/** Counters since the start of the process. */
export class DeliveryTally {
  routed = 0;
  delivered = 0;
  bytesOut = 0;
  writes = 0;
  pauses = 0;
  resumes = 0;
  /** Consumers paused now. */
  paused = 0;
  gaps = 0;
  /** Events skipped for consumers that have gone; those of living ones are with their buffers. */
  readonly droppedByGone: Record<Policy, number> = { "drop-oldest": 0, "drop-newest": 0, replay: 0, disconnect: 0 };
  readonly latencyS = new HistogramInstrument(deliveryLatencyBuckets);

  /** Counts that some events, `bytes` long together, were given to `members` of a lane. */
  countWrites(events: readonly SharedEvent[], bytes: number, members: number, now: number): void {
    if (members === 0) return;
    this.delivered += events.length * members;
    this.bytesOut += bytes * members;
    this.writes += members;
    for (const event of events) this.latencyS.observe((now - event.durableAtMs) / msPerS, members);
  }
}
