// Where an engine keeps records. StoredLog does what all engines share (order, dedup, the live feed) on top of one.
import type { LogPage, PageBounds, ReadOptions, TakeRecord } from "./event-log.js";
import type { PackedRecord } from "./packed-event.js";

/** Storage of one log. One `write` or `sweep` at a time; reading goes on meanwhile. */
export interface LogStore {
  readonly epoch: string;
  /** Seq of the newest durable record; moves when a `write` resolves. */
  readonly head: number;
  readonly oldest: number;
  /** Bytes of the retained records as stored. */
  readonly bytes: number;
  /**
   * Makes the records durable, all or none; their seqs follow `head` without a hole and they share one
   * `appendedAtMs`. Resolves to their stored bytes.
   * @throws {LogError} `LOG_FULL` (a later write may work) or `LOG_FAILED` (none will); nothing is stored then.
   */
  write(records: readonly PackedRecord[]): Promise<number>;
  /** A page, found at once; see {@link EventLog.read}. `options.limit` is ≥ 1. */
  read(after: number, options: ReadOptions): LogPage;
  /** As {@link EventLog.scan}, at once. */
  scan(after: number, options: ReadOptions, take: TakeRecord): PageBounds;
  /** Moves `oldest` to what retention leaves at wall time `nowMs`. True where bounded work remains: call again soon. */
  retain(nowMs: number): boolean;
  /** Whether retention let go of something that still takes room. A `write` frees a part of it too. */
  readonly hasGarbage: boolean;
  /** Frees some of that; throws as `write` does. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}
