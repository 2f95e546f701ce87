// What every engine shares: one commit at a time, seqs, dedup, the live feed, retention's pace. Storage is a LogStore.
import { setImmediate as nextTurn } from "node:timers/promises";
import { every } from "@sluice/runtime";
import { AppendQueue, pendingBytes, type PendingAppend } from "./append-queue.js";
import { CommitPlan } from "./commit-plan.js";
import { DedupWindow } from "./dedup-window.js";
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
import type { LogOptions } from "./log-options.js";
import type { LogStore } from "./log-store.js";
import { fieldsLengthOf, PackedEvent } from "./packed-event.js";
import { checkLimit } from "./page-builder.js";

/** Bounds of one commit, so that its work between two turns of the event loop stays short. */
const commitEventsMax = 16_384;
const commitBytesMax = 8 * 1024 * 1024;
/**
 * Between two commits that are for several appends each, ms. A commit wakes the same threads whatever is in it: at
 * 3,000 appends a second from 64 publishers this saves a fifth of the service's CPU. One alone waits for nobody.
 */
const commitSpacingMs = 2;
/** Ids forgotten in one turn of the event loop, after a time without commits: about 2 ms. */
const idsPerTurn = 16_384;
const retentionIntervalMsDefault = 1000;
const pendingBytesMaxDefault = 64 * 1024 * 1024;
/** Most bytes of one event's `fields`: a block with it stays below lmdb-js's 16 MiB read buffer. */
export const fieldsBytesMax = 15 * 1024 * 1024;
/** Most characters of an event's id and names: far more than the protocol lets through, far less than a u16 counts. */
const nameLengthMax = 1024;

/** Ids that a log remembers from before it was opened, their seqs being consecutive. */
export interface RememberedIds {
  readonly ids: readonly string[];
  readonly firstSeq: number;
  readonly appendedAtMs: number;
}

/** An {@link EventLog} over a store. It owns the store. */
export class StoredLog implements EventLog {
  readonly isShared = false;
  readonly eventBytesMax = fieldsBytesMax;
  readonly #store: LogStore;
  readonly #options: LogOptions;
  readonly #queue: AppendQueue;
  readonly #dedup: DedupWindow;
  readonly #followers: Followers;
  readonly #endTicks: () => void;
  #state: LogStats["state"] = "open";
  #commits = 0;
  /** How many appends the newest commit was for, and when it ended, monotonic ms. */
  #lastAppends = 0;
  #lastEndMs = 0;
  #lastCommitMs = 0;
  #sweepIsDue = false;
  #running: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @param remembered ids for the dedup window, oldest first */
  constructor(store: LogStore, options: LogOptions, remembered: readonly RememberedIds[] = []) {
    this.#store = store;
    this.#options = options;
    this.#queue = new AppendQueue(options.pendingBytesMax ?? pendingBytesMaxDefault);
    this.#followers = new Followers((error) => options.onError?.(error));
    this.#dedup = new DedupWindow(options.dedup);
    this.#remember(remembered);
    this.#retain();
    this.#endTicks = every(options.retentionIntervalMs ?? retentionIntervalMsDefault, () => this.#tick());
  }

  get epoch(): string {
    return this.#store.epoch;
  }

  get head(): number {
    return this.#store.head;
  }

  get oldest(): number {
    return this.#store.oldest;
  }

  append(drafts: readonly EventDraft[]): Promise<AppendResult> {
    const refusal = this.#refusal(drafts);
    if (refusal !== undefined) return Promise.reject(refusal);
    if (drafts.length === 0) return Promise.resolve({ firstSeq: this.head + 1, lastSeq: this.head, duplicates: 0 });
    return new Promise((resolve, reject) => {
      const packed = drafts.map((draft) => PackedEvent.of(draft));
      if (this.#queue.push({ drafts: packed, bytes: pendingBytes(drafts), resolve, reject })) this.#wake();
      else reject(new LogError("LOG_BUSY", "too many bytes already wait for the disk"));
    });
  }

  // Async so that its refusals are rejections.
  async read(after: number, options: ReadOptions): Promise<LogPage> {
    if (this.#state === "closed") throw new LogError("LOG_CLOSED", "the log is closed");
    checkLimit(options);
    return this.#store.read(after, options);
  }

  async scan(after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds> {
    if (this.#state === "closed") throw new LogError("LOG_CLOSED", "the log is closed");
    checkLimit(options);
    return this.#store.scan(after, options, take);
  }

  follow(onBatch: (records: readonly EventRecord[]) => void): () => void {
    return this.#followers.add(onBatch);
  }

  catchUp(): Promise<void> {
    return Promise.resolve();
  }

  stats(): LogStats {
    return {
      events: this.head - this.oldest + 1,
      bytes: this.#store.bytes,
      commits: this.#commits,
      lastCommitMs: this.#lastCommitMs,
      state: this.#state,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#endTicks();
    await this.#running;
    this.#state = "closed";
    this.#followers.clear();
    await this.#store.close();
  }

  #refusal(drafts: readonly EventDraft[]): Error | undefined {
    if (this.#closing !== undefined) return new LogError("LOG_CLOSED", "the log is closed");
    if (this.#state === "failed") return failedError();
    if (!drafts.some(isTooLarge)) return undefined;
    return new RangeError(`an event is over ${fieldsBytesMax} bytes, or a name in it over ${nameLengthMax} characters`);
  }

  #wake(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Requests that one look at the sockets brought go into the first commit together: they are taken in one after the
    // other, with the microtasks of each in between, and the first alone would make the others wait for its commit.
    await nextTurn();
    while (this.#queue.length > 0 || this.#sweepIsDue) {
      if (this.#queue.length > 0) {
        await this.#gather();
        await this.#commit(this.#queue.take(commitEventsMax, commitBytesMax));
      } else await this.#sweep();
    }
    // Right here and not in a later microtask, in which an append would see it running and wake nobody.
    this.#running = undefined;
  }

  /** Lets more come where several came to the last commit, and that was just now. */
  async #gather(): Promise<void> {
    if (this.#lastAppends <= 1 || this.#closing !== undefined) return;
    const waitMs = this.#lastEndMs + commitSpacingMs - this.#options.clock.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  }

  async #commit(group: readonly PendingAppend[]): Promise<void> {
    if (this.#state === "failed") {
      for (const append of group) append.reject(failedError());
      return;
    }
    const { clock } = this.#options;
    this.#lastAppends = group.length;
    const startMs = clock.now();
    while (!this.#dedup.expire(startMs, idsPerTurn)) await nextTurn();
    const plan = await CommitPlan.make(group, this.#dedup, this.head, clock.wall());
    if (plan.records.length === 0) {
      plan.resolve(startMs);
      return;
    }
    let bytes: number;
    try {
      bytes = await this.#store.write(plan.records);
    } catch (error) {
      this.#state = error instanceof LogError && error.code === "LOG_FULL" ? "full" : "failed";
      plan.reject(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#lastEndMs = clock.now();
    this.#committed(plan.records, bytes, startMs);
    plan.resolve(clock.now());
  }

  #committed(records: readonly EventRecord[], bytes: number, startMs: number): void {
    this.#state = "open";
    this.#commits += 1;
    this.#lastCommitMs = this.#options.clock.now() - startMs;
    this.#retain();
    this.#followers.tell(records);
    this.#options.onCommit?.({ events: records.length, bytes, durationMs: this.#lastCommitMs });
  }

  /** Commits free what retention let go as they pass; only an idle log needs commits for it alone. */
  #tick(): void {
    this.#retain();
    if (this.#store.hasGarbage && this.#running === undefined) this.#sweepSoon();
  }

  #retain(): void {
    if (this.#state === "failed") return;
    try {
      if (this.#store.retain(this.#options.clock.wall())) this.#sweepSoon();
    } catch (cause) {
      this.#options.onError?.(new Error("retention could not read the log", { cause }));
    }
  }

  #sweepSoon(): void {
    if (this.#state === "failed" || this.#closing !== undefined) return;
    this.#sweepIsDue = true;
    this.#wake();
  }

  async #sweep(): Promise<void> {
    this.#sweepIsDue = false;
    if (this.#state === "failed") return;
    try {
      await this.#store.sweep();
    } catch (cause) {
      if (!(cause instanceof LogError && cause.code === "LOG_FULL")) this.#state = "failed";
      this.#options.onError?.(new Error("retention could not free what it let go", { cause }));
      return;
    }
    this.#retain();
    if (this.#store.hasGarbage) this.#sweepSoon();
  }

  #remember(remembered: readonly RememberedIds[]): void {
    const { clock } = this.#options;
    const ageless = clock.now() - clock.wall();
    for (const { ids, firstSeq, appendedAtMs } of remembered) {
      for (const [index, id] of ids.entries()) this.#dedup.claimAgain(Buffer.from(id), firstSeq + index);
      this.#dedup.keep(appendedAtMs + ageless);
    }
  }
}

function isTooLarge(draft: EventDraft): boolean {
  const { eventType, clusterId } = draft;
  // An id has no more characters than bytes.
  const idLength =
    draft instanceof PackedEvent && draft.idLength <= nameLengthMax ? draft.idLength : draft.eventId.length;
  const nameLength = Math.max(idLength, eventType.length, clusterId?.length ?? 0);
  return fieldsLengthOf(draft) > fieldsBytesMax || nameLength > nameLengthMax;
}

function failedError(): LogError {
  return new LogError("LOG_FAILED", "the disk refused an earlier write; nothing more is acknowledged until a restart");
}
