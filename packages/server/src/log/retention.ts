// What a log lets go of; pure. Counting is exact by record, age and bytes go by segments (a block, or one commit).
import type { RetentionLimits } from "./log-options.js";

/** Records that go together. */
export interface Segment {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: number;
  readonly appendedAtMs: number;
}

/** The oldest seq that `maxEvents` leaves, never before `oldest`. */
export function oldestByCount(limits: RetentionLimits, head: number, oldest: number): number {
  return limits.maxEvents === null ? oldest : Math.max(oldest, head - limits.maxEvents + 1);
}

/**
 * Whether the oldest segment has to go by age or bytes. The newest one goes by age only, so that a publish larger
 * than `maxBytes` can still be read.
 *
 * @param bytes of all segments
 */
export function isExpired(
  limits: RetentionLimits,
  segment: Segment,
  head: number,
  bytes: number,
  nowMs: number,
): boolean {
  if (limits.maxAgeMs !== null && nowMs - segment.appendedAtMs > limits.maxAgeMs) return true;
  return limits.maxBytes !== null && bytes > limits.maxBytes && segment.lastSeq < head;
}
