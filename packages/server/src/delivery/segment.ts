// The parts of what waits for a connection that come before its lane: events by seq, stretches of the log, gaps.

import type { GapReason } from "@sluice/protocol";
import type { EventMatch } from "../log/event-log.js";
import type { Narrowing } from "./narrowing.js";

/** Events missing at this place of the stream. */
export interface Gap {
  readonly reason: GapReason;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** How many that were subscribed to when they were published; null where it cannot be known. */
  readonly dropped: number | null;
}

/** A stretch of the log to be read and filtered. */
export interface LogRange {
  after: number;
  readonly until: number;
  readonly match: EventMatch;
  /** How many matches are left in it, at most; null where that is not known. */
  count: number | null;
}

/** Events named by their seqs; those before `next` have been passed. */
export interface SeqsSegment {
  readonly kind: "seqs";
  readonly seqs: readonly number[];
  next: number;
  narrowing: Narrowing | null;
}

export interface RangeSegment {
  readonly kind: "range";
  readonly range: LogRange;
  /** Some of it is known to be gone, so that what is left of `count` is a bound and not a number. */
  isPartlyLost: boolean;
  narrowing: Narrowing | null;
}

/** A gap; without `fromSeq` it begins where the stream stands when it is sent. */
export interface GapSegment {
  readonly kind: "gap";
  readonly reason: GapReason;
  readonly fromSeq: number | null;
  readonly toSeq: number;
  readonly dropped: number | null;
}

export type Segment = SeqsSegment | RangeSegment | GapSegment;

/** What comes next on the connection. */
export type Step =
  | { readonly kind: "event"; readonly seq: number; readonly filter: EventMatch | null }
  | { readonly kind: "range"; readonly range: LogRange; readonly filter: EventMatch | null }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "level" };

/** Events in a segment, at most. */
export function sizeOf(segment: Segment): number {
  if (segment.kind === "seqs") return segment.seqs.length - segment.next;
  if (segment.kind === "gap") return 0;
  const { count, until, after } = segment.range;
  if (after >= until) return 0;
  return count ?? until - after;
}

/**
 * Events of a segment that count for the place of what is queued behind it: none of a range that is partly lost, as
 * nobody knows how many of them are left.
 */
export function countedOf(segment: Segment): number {
  return segment.kind === "range" && segment.isPartlyLost ? 0 : sizeOf(segment);
}

/** A range was read up to `scannedTo`, and `matched` events of it were found. */
export function scanRange({ range }: RangeSegment, scannedTo: number, matched: number): void {
  range.after = Math.min(scannedTo, range.until);
  if (range.count !== null) range.count = Math.max(0, range.count - matched);
}

/** A range is gone from the log up to `toSeq`; returns what is missing of it. */
export function loseOfRange(segment: RangeSegment, toSeq: number): Gap {
  const { range, isPartlyLost } = segment;
  const fromSeq = range.after + 1;
  const lostTo = Math.min(toSeq, range.until);
  const dropped = lostTo === range.until && !isPartlyLost ? range.count : null;
  segment.isPartlyLost = true;
  range.after = lostTo;
  if (range.count !== null) range.count = Math.min(range.count, range.until - lostTo);
  return { reason: "retention", fromSeq, toSeq: lostTo, dropped };
}

/** The seq before the first that a segment may hold. */
export function startOf(segment: Segment): number | null {
  if (segment.kind === "seqs") return (segment.seqs[segment.next] as number) - 1;
  if (segment.kind === "range") return segment.range.after;
  return segment.fromSeq === null ? null : Math.max(0, segment.fromSeq - 1);
}

/** How many things segments remember: themselves, and the sets that narrow the oldest, which are all that narrow any. */
export function burdenOf(segments: readonly Segment[]): number {
  const oldest = segments.find((segment) => segment.kind !== "gap");
  return segments.length + (oldest?.narrowing?.size ?? 0);
}
