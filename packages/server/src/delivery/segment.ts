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
  return count ?? Math.max(0, until - after);
}

/** The seq before the first that a segment may hold. */
export function startOf(segment: Segment): number | null {
  if (segment.kind === "seqs") return (segment.seqs[segment.next] as number) - 1;
  if (segment.kind === "range") return segment.range.after;
  return segment.fromSeq === null ? null : Math.max(0, segment.fromSeq - 1);
}
