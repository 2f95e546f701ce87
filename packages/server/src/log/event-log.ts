// The one seam to storage and scale-out: events become durable and ordered here, and are read back by position.
// Knows no connection and no subscription.

/** An event accepted for publishing and not yet ordered. */
export interface EventDraft {
  /** What dedup goes by: within its window a second event with the same is accepted and not stored. */
  readonly eventId: string;
  readonly eventType: string;
  readonly clusterId: string | undefined;
  /**
   * The members that follow `seq` in the wire's event (protocol §4), as UTF-8 JSON without the braces:
   * `"event_id":"…","event_type":"…",…,"payload":…`. Encoded once, stored and sent as it is; never modified.
   */
  readonly fields: Buffer;
  /** Length of `fields`, bytes, where that is known before they are asked for. */
  readonly fieldsLength?: number;
}

/** An event as stored. */
export interface EventRecord extends EventDraft {
  /** Its place in the log: from 1, strictly increasing, below 2^53. */
  readonly seq: number;
  /** Our wall clock at the append, ms since the Unix epoch; what retention by age goes by. */
  readonly appendedAtMs: number;
}

/** Which records a reader wants. */
export interface EventMatch {
  matches(eventType: string, clusterId: string | undefined): boolean;
  /**
   * Where all that matches has one type, or one cluster, or both: which. An engine with an index by them may pass over
   * what lies between; undefined where nothing so simple can be said.
   */
  readonly only?: { readonly eventType?: string; readonly clusterId?: string } | undefined;
}

/** What a publish came to. Sequence numbers of duplicates are those of the first copy. */
export interface AppendResult {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** How many of the drafts were already in the log and were not stored again. */
  readonly duplicates: number;
}

/** Bounds of one page. */
export interface ReadOptions {
  /** Last seq to consider, inclusive; the head when absent. */
  readonly until?: number;
  /** Only these records; all when absent. */
  readonly match?: EventMatch;
  /** Most records in the page, ≥ 1. */
  readonly limit: number;
  /** Most bytes of `fields` in the page; a page holds at least one matching record even when it alone is larger. */
  readonly bytesMax?: number;
  /**
   * For how long a log on other machines is waited for while it is out of reach, ms; until the log is closed when absent.
   */
  readonly waitMs?: number;
}

/** How far a page of history goes. */
export interface PageBounds {
  /** Every record up to and including this seq was considered: the `after` of the next page. */
  readonly scannedTo: number;
  /** The log's oldest retained seq when the page was read; records between `after` and it are gone. */
  readonly oldest: number;
  /** The log's head when the page was read. The end is reached when `scannedTo` has met it (or `until`). */
  readonly head: number;
}

/** One page of history. */
export interface LogPage extends PageBounds {
  /** In `seq` order. May be empty although more matches lie further on: go on from `scannedTo`. */
  readonly records: readonly EventRecord[];
}

/**
 * Takes a record where it lies: its `fields` are `bytes` from `start` to `end`, lent until it returns. Must not throw.
 */
export type TakeRecord = (
  seq: number,
  eventType: string,
  clusterId: string | undefined,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/** Size and pace of a log, for metrics and `/readyz`. */
export interface LogStats {
  readonly events: number;
  readonly bytes: number;
  /** Commits since the log was opened, and how long the newest took, ms. */
  readonly commits: number;
  readonly lastCommitMs: number;
  /**
   * `full`: the newest commit found no room; appends are tried again. `failed`: a write or fsync failed, nothing more is
   * acknowledged until the process starts anew; reading goes on, as far as the engine's files still can be read.
   * `unreachable`: a log on other machines does not answer; appends are tried for a while, reads wait.
   */
  readonly state: "open" | "full" | "failed" | "unreachable" | "closed";
}

/** A durable, totally ordered sequence of events. Every engine passes the one contract suite. */
export interface EventLog {
  /** Identity of this log: a position is only good together with it. */
  readonly epoch: string;
  /** Seq of the newest durable record; 0 before the first. */
  readonly head: number;
  /**
   * Seq of the oldest retained record; `head + 1` when none is retained. A log on other machines may have let go of more
   * than it says here, by a second or so of age; pages always say what is so.
   */
  readonly oldest: number;
  /** Whether other processes append to it too; `head` may then be behind for a moment, see `catchUp`. */
  readonly isShared: boolean;
  /** Largest `fields` of one event, bytes. */
  readonly eventBytesMax: number;
  /**
   * Makes the drafts durable, all or none, in the order given, and next to each other unless other processes append to
   * the same log. Resolves after the commit has reached the disk and followers have been told.
   * @throws {LogError} `LOG_FULL`, `LOG_BUSY`, `LOG_FAILED`, `LOG_CLOSED`; nothing was stored then. `LOG_UNREACHABLE`:
   * some or all of the events may be stored; appended again within the dedup window, each is stored once. A
   * `RangeError` where one event is over `eventBytesMax`, or a name over 1,024 characters.
   */
  append(drafts: readonly EventDraft[]): Promise<AppendResult>;
  /**
   * Records with `seq > after`, in order. Looks at a bounded number of records a call, so a narrow match may take
   * several pages.
   * @throws {LogError} `LOG_DAMAGED` (or `LOG_FORMAT`) where the next record cannot be read, with the `seqs` that
   *   cannot: reading goes on after the last of them. `LOG_CLOSED`. `LOG_FAILED` where a failed disk lets nothing be
   *   read. `LOG_UNREACHABLE` after `waitMs`.
   */
  read(after: number, options: ReadOptions): Promise<LogPage>;
  /**
   * As `read`, but each record goes to `take` in turn, and no object is made of it: for who reads much, as what is made
   * for a page lives long enough to cost everybody a collection of garbage. Some may have been taken when it throws.
   */
  scan(after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds>;
  /**
   * The live feed: every record durable from now on, in `seq` order, once each, in batches of one commit or less.
   * `onBatch` is called synchronously and must not throw. Returns what ends it.
   */
  follow(onBatch: (records: readonly EventRecord[]) => void): () => void;
  /**
   * Resolves when `head` is at least what was durable when this was called, wherever it was appended.
   * @throws {LogError} `LOG_CLOSED`; `LOG_UNREACHABLE` where a log on other machines has not answered within `waitMs`, ms
   *   (unlimited when absent).
   */
  catchUp(waitMs?: number): Promise<void>;
  stats(): LogStats;
  /** Finishes what is under way and closes. A second call does nothing. */
  close(): Promise<void>;
}

/**
 * `LOG_FULL` no room on the disk, later appends may work · `LOG_BUSY` too much is already waiting for the disk, try
 * again · `LOG_FAILED` the disk refused a write or a sync, nothing more is acknowledged · `LOG_CLOSED` · `LOG_LOCKED`
 * another process has it open · `LOG_DAMAGED` what is stored fails a check · `LOG_FORMAT` another version wrote it, or
 * what is there can't hold a log · `LOG_UNREACHABLE` a log on other machines does not answer.
 */
export type LogErrorCode =
  | "LOG_FULL"
  | "LOG_BUSY"
  | "LOG_FAILED"
  | "LOG_CLOSED"
  | "LOG_LOCKED"
  | "LOG_DAMAGED"
  | "LOG_FORMAT"
  | "LOG_UNREACHABLE";

/** Records, by the first and the last of their seqs. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** What a log refuses with; `code` is stable, the message is for people. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  /** Of what cannot be read: these records, none of which a page has held. */
  readonly seqs: SeqRange | undefined;

  constructor(code: LogErrorCode, message: string, options?: ErrorOptions & { readonly seqs?: SeqRange }) {
    super(message, options);
    this.code = code;
    this.seqs = options?.seqs;
  }
}
