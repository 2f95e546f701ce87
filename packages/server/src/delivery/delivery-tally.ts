// What delivery counts, as plain numbers: a count costs an addition, and is read when metrics are scraped.

import type { Policy } from "@sluice/protocol";

/** Upper bounds of the latency classes, seconds. */
export const latencyBoundsS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

const msPerS = 1000;

/** A histogram that takes a weight: one measurement stands for all members of a lane. */
export class WeightedHistogram {
  readonly bounds: readonly number[];
  /** Per class, not cumulative; the last is for what is over all bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number, weight: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] as number)) index += 1;
    this.counts[index] = (this.counts[index] as number) + weight;
    this.sum += value * weight;
    this.count += weight;
  }
}

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
  readonly latencyS = new WeightedHistogram(latencyBoundsS);

  observeLatency(latencyMs: number, weight: number): void {
    this.latencyS.observe(latencyMs / msPerS, weight);
  }
}
