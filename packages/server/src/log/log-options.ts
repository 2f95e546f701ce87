// What every engine of the log can be told.
import type { Clock } from "@sluice/runtime";

/** What a log keeps; the oldest goes first. A record goes as soon as one bound says so. */
export interface RetentionLimits {
  /** Most records, exact; ≥ 1, null = unlimited. */
  readonly maxEvents: number | null;
  /** Greatest age by the wall clock, ms, in steps of one block; null = unlimited. */
  readonly maxAgeMs: number | null;
  /** Most bytes of stored records, in steps of one block, the newest block always staying; null = unlimited. */
  readonly maxBytes: number | null;
}

/** For how long an event id is known again. */
export interface DedupLimits {
  /** Age by the monotonic clock (by the wall clock over a restart), ms; 0 = no dedup beyond one commit. */
  readonly windowMs: number;
  /**
   * Most ids remembered; past it the oldest is forgotten early. 64 bytes of memory each, and up to four times that
   * where they are over 262,144.
   */
  readonly maxIds: number;
}

/** One commit, as told to whoever keeps histograms. */
export interface CommitReport {
  readonly events: number;
  /** Bytes of the stored records. */
  readonly bytes: number;
  readonly durationMs: number;
}

/** Options of every engine. */
export interface LogOptions {
  readonly clock: Clock;
  readonly retention: RetentionLimits;
  readonly dedup: DedupLimits;
  /** Told of what broke and harmed no append: a follower that threw, a sweep that failed. Must not throw. */
  readonly onError?: (error: Error) => void;
  /** Told of every commit after it is durable. Must not throw. */
  readonly onCommit?: (report: CommitReport) => void;
  /**
   * Most bytes of appends that wait for the disk; default 64 MiB. Past it an append is refused with `LOG_BUSY`, but
   * one append is always let in when none waits.
   */
  readonly pendingBytesMax?: number;
  /** How often retention by age is looked at when nothing is appended, ms; default 1,000. */
  readonly retentionIntervalMs?: number;
}
