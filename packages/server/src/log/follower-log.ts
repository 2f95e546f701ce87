// The embedded log in a process that doesn't write it: read through LMDB's memory map, appended to by asking the
// process that does, followed when that one says that there is more.
import { join } from "node:path";
import { fileName } from "./embedded-log.js";
import {
  LogError,
  type AppendResult,
  type EventDraft,
  type EventLog,
  type EventRecord,
  type LogPage,
  type LogStats,
  type PageBounds,
  type ReadOptions,
  type TakeRecord,
} from "./event-log.js";
import { Followers } from "./followers.js";
import { metaKey, openLmdb, type LmdbDatabase } from "./lmdb-database.js";
import { decodeMeta, type MetaRecord } from "./meta-record.js";
import { checkLimit } from "./page-builder.js";
import { readBlocks, scanBlocks } from "./read-blocks.js";
import { fieldsBytesMax } from "./stored-log.js";

/** Bounds of what is read and told in one turn of the event loop, about 2 ms. */
const turnEventsMax = 1024;
const turnBytesMax = 1024 * 1024;

/** Where the log lies, and the way to whoever writes it. */
export interface FollowerLogOptions {
  /** The log's directory, which its writer has open. */
  readonly dir: string;
  /** Hands drafts to the writer; settles as `EventLog.append`. */
  readonly append: (drafts: readonly EventDraft[]) => Promise<AppendResult>;
  /** What following waits for when its followers are behind; undefined when they have room. */
  readonly room?: () => Promise<void> | undefined;
  /** Told of a follower that threw. */
  readonly onError: (error: Error) => void;
  /** Following can't go on: it was so slow that retention took what it had not told. */
  readonly onLost: (error: Error) => void;
}

/** An {@link EventLog} that another process writes. */
export class FollowerLog implements EventLog {
  readonly epoch: string;
  readonly isShared = true;
  readonly eventBytesMax = fieldsBytesMax;
  readonly #options: FollowerLogOptions;
  readonly #db: LmdbDatabase;
  readonly #followers: Followers;
  /** Everything up to this seq was told to the followers. */
  #told: number;
  #stats: LogStats = { events: 0, bytes: 0, commits: 0, lastCommitMs: 0, state: "open" };
  #waiting: { readonly head: number; readonly resolve: () => void }[] = [];
  #isTelling = false;
  #isClosed = false;

  /** @throws {LogError} where there is no log in the directory, or one of another version. */
  constructor(options: FollowerLogOptions) {
    this.#options = options;
    this.#db = openLmdb(join(options.dir, fileName), "follow");
    this.#followers = new Followers(options.onError);
    const { epoch, head } = this.#meta();
    this.epoch = epoch;
    this.#told = head;
  }

  /** As the file says now. */
  #meta(): MetaRecord {
    // What this process has read before must not hide what the writer has added since.
    this.#db.resetReadTxn();
    const value = this.#db.getBinary(metaKey);
    if (value === undefined) throw new LogError("LOG_DAMAGED", "the log has no meta record");
    return decodeMeta(Buffer.from(value));
  }

  get head(): number {
    return this.#meta().head;
  }

  get oldest(): number {
    return this.#meta().oldest;
  }

  append(drafts: readonly EventDraft[]): Promise<AppendResult> {
    if (this.#isClosed) return Promise.reject(new LogError("LOG_CLOSED", "the log is closed"));
    return this.#options.append(drafts);
  }

  // Async so that its refusals are rejections.
  async read(after: number, options: ReadOptions): Promise<LogPage> {
    if (this.#isClosed) throw new LogError("LOG_CLOSED", "the log is closed");
    checkLimit(options);
    return readBlocks(this.#db, this.#meta(), after, options);
  }

  async scan(after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds> {
    if (this.#isClosed) throw new LogError("LOG_CLOSED", "the log is closed");
    checkLimit(options);
    return scanBlocks(this.#db, this.#meta(), after, options, take);
  }

  follow(onBatch: (records: readonly EventRecord[]) => void): () => void {
    return this.#followers.add(onBatch);
  }

  // Async so that its refusals are rejections.
  async catchUp(): Promise<void> {
    const { head } = this.#meta();
    if (this.#isClosed) throw new LogError("LOG_CLOSED", "the log is closed");
    if (this.#told < head) await new Promise<void>((resolve) => this.#waiting.push({ head, resolve }));
  }

  /**
   * The writer has committed, or its state has changed: tells the followers what is new.
   *
   * @param newest what it has committed, in order, where that came with the news; the rest is read from the file
   */
  advance(stats: LogStats, newest: readonly EventRecord[] = []): void {
    this.#stats = stats;
    if (this.#isTelling || this.#isClosed) return;
    // Nothing is missing before it, and the followers have room for it.
    if (newest[0]?.seq === this.#told + 1 && this.#options.room?.() === undefined) {
      this.#told += newest.length;
      this.#followers.tell(newest);
      this.#release();
      return;
    }
    this.#isTelling = true;
    this.#tell()
      .catch((error: unknown) => this.#options.onLost(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        this.#isTelling = false;
      });
  }

  async #tell(): Promise<void> {
    for (;;) {
      const bounds = this.#meta();
      if (this.#told >= bounds.head || this.#isClosed) return;
      if (bounds.oldest > this.#told + 1) throw new Error(`retention took seq ${this.#told + 1} before it was told`);
      const page = readBlocks(this.#db, bounds, this.#told, { limit: turnEventsMax, bytesMax: turnBytesMax });
      this.#told = page.scannedTo;
      this.#followers.tell(page.records);
      this.#release();
      if (this.#told >= bounds.head) continue;
      await this.#options.room?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    for (const { head, resolve } of this.#waiting) if (head <= this.#told) resolve();
    this.#waiting = this.#waiting.filter(({ head }) => head > this.#told);
  }

  stats(): LogStats {
    return { ...this.#stats, state: this.#isClosed ? "closed" : this.#stats.state };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#followers.clear();
    await this.#db.close();
  }
}
