// The engine for more than one machine: a stream of NATS JetStream, one message an event, `seq` the message's own.
// docs/decisions/0004-jetstream-log.md says what it promises, and where that is other than the embedded log's.
import { randomUUID } from "node:crypto";
import type { NatsConnection } from "@nats-io/transport-node";
import { pendingBytes } from "../append-queue.js";
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
} from "../event-log.js";
import { Followers } from "../followers.js";
import type { LogOptions } from "../log-options.js";
import { takePage } from "../take-page.js";
import { Contact } from "./contact.js";
import { epochOf, openStream, type StreamInfo } from "./open-stream.js";
import type { Outgoing } from "./publication.js";
import { Publications } from "./publications.js";
import { SeqWaiters } from "./seq-waiters.js";
import { eventSubject, headerBytesMax, headersOf, sizeProblem } from "./stored-message.js";
import { StreamFeed } from "./stream-feed.js";
import { StreamReader } from "./stream-reader.js";
import { StreamWatch } from "./stream-watch.js";
import type { StreamWish } from "./stream-config.js";

const pendingBytesMaxDefault = 64 * 1024 * 1024;
/** JetStream must know a message id for longer than it is sent again. */
const duplicateWindowFactor = 2;
/** Between two tries to learn where the stream ends, ms. */
const retryPauseMs = 200;

/** Options of the JetStream engine. */
export interface JetStreamLogOptions extends LogOptions {
  /** Not closed with the log. */
  readonly nats: NatsConnection;
  /** `nats.stream`. */
  readonly stream: string;
  /** `nats.prefix`. */
  readonly prefix: string;
  /** `nats.replicas`. */
  readonly replicas: number;
  /** `nats.storage`. */
  readonly storage: "file" | "memory";
  /** `nats.publish_retry_ms`. */
  readonly publishRetryMs: number;
  /** Told when the servers are out of reach, and when they are in reach again. */
  readonly onReachable?: (isReachable: boolean) => void;
  /** Events up to this seq were let go before they could be told; told before what follows is. */
  readonly onHole?: (toSeq: number) => void;
  /** Told of what an operator may want to know: a limit that was set, a consumer that was replaced. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * Opens the log in a stream, or makes one.
 * @throws {LogError} as `openStream`
 */
export async function openJetStreamLog(options: JetStreamLogOptions): Promise<EventLog> {
  const duplicateWindowMs = Math.max(options.dedup.windowMs, duplicateWindowFactor * options.publishRetryMs);
  const wish: StreamWish = {
    name: options.stream,
    prefix: options.prefix,
    replicas: options.replicas,
    storage: options.storage,
    retention: options.retention,
    duplicateWindowMs,
  };
  const info = await openStream(options.nats, wish, (change) => options.onNotice?.(change));
  const log = new JetStreamLog(options, info);
  try {
    await log.start();
  } catch (error) {
    await log.close();
    throw error;
  }
  return log;
}

class JetStreamLog implements EventLog {
  readonly epoch: string;
  readonly isShared = true;
  readonly eventBytesMax: number;
  readonly #options: JetStreamLogOptions;
  readonly #feed: StreamFeed;
  readonly #reader: StreamReader;
  readonly #publications: Publications;
  readonly #contact: Contact;
  readonly #followers: Followers;
  readonly #watch: StreamWatch;
  readonly #untold = new SeqWaiters();
  readonly #underWay = new Set<Promise<unknown>>();
  #head: number;
  #pendingBytes = 0;
  #commits = 0;
  #lastCommitMs = 0;
  #hasFailed = false;
  #isFull = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(options: JetStreamLogOptions, info: StreamInfo) {
    const { nats, stream, clock } = options;
    this.#options = options;
    this.epoch = epochOf(info);
    this.#head = info.state.last_seq;
    const messageBytesMax = nats.info?.max_payload ?? 0;
    this.eventBytesMax = messageBytesMax - headerBytesMax;
    this.#followers = new Followers((error) => options.onError?.(error));
    this.#feed = new StreamFeed({
      nats,
      stream,
      clock,
      after: this.#head,
      messageBytesMax,
      onRecords: (records, bytes) => this.#tell(records, bytes),
      onHeard: () => this.#contact.heard(),
      onTrouble: (error) => options.onNotice?.(error.message),
    });
    this.#reader = new StreamReader({
      nats,
      stream,
      prefix: options.prefix,
      messageBytesMax,
      head: () => this.head,
      oldest: () => this.oldest,
      isClosed: () => this.#isClosed,
      onRead: () => this.#contact.heard(),
    });
    this.#publications = new Publications({
      nats,
      clock,
      retryMs: options.publishRetryMs,
      onDisorder: () => options.onError?.(new Error("events of one append changed places over a change of leader")),
    });
    this.#contact = new Contact({
      nats,
      clock,
      onDisconnect: () => this.#publications.disconnected(),
      onReconnect: () => {
        this.#publications.connected();
        this.#feed.restart();
      },
      onChange: (isReachable) => options.onReachable?.(isReachable),
    });
    this.#watch = new StreamWatch({
      nats,
      clock,
      info,
      intervalMs: options.retentionIntervalMs,
      onHeard: () => this.#contact.heard(),
      onOther: () => this.#fail(),
    });
  }

  /** Begins to follow the stream. */
  start(): Promise<void> {
    return this.#feed.start();
  }

  get head(): number {
    return this.#head;
  }

  get oldest(): number {
    const { maxEvents } = this.#options.retention;
    const byCount = maxEvents === null ? 1 : this.#head - maxEvents + 1;
    return Math.max(byCount, Math.min(this.#watch.oldest, this.#head + 1));
  }

  append(drafts: readonly EventDraft[]): Promise<AppendResult> {
    if (this.#closing !== undefined) return Promise.reject(new LogError("LOG_CLOSED", "the log is closed"));
    if (this.#hasFailed) return Promise.reject(new LogError("LOG_FAILED", "the stream is not the one that was opened"));
    const tooLarge = sizeProblem(drafts, this.eventBytesMax);
    if (tooLarge !== undefined) return Promise.reject(tooLarge);
    if (drafts.length === 0) return Promise.resolve({ firstSeq: this.head + 1, lastSeq: this.head, duplicates: 0 });
    const bytes = pendingBytes(drafts);
    const bytesMax = this.#options.pendingBytesMax ?? pendingBytesMaxDefault;
    if (this.#pendingBytes > 0 && this.#pendingBytes + bytes > bytesMax) {
      return Promise.reject(new LogError("LOG_BUSY", "too many bytes already wait for JetStream"));
    }
    this.#pendingBytes += bytes;
    const appending = this.#append(drafts).finally(() => {
      this.#pendingBytes -= bytes;
      this.#underWay.delete(appending);
    });
    this.#underWay.add(appending);
    return appending;
  }

  // Async so that its refusals are rejections.
  async read(after: number, options: ReadOptions): Promise<LogPage> {
    if (this.#isClosed) throw new LogError("LOG_CLOSED", "the log is closed");
    if (!(options.limit >= 1)) throw new RangeError("limit must be 1 or more");
    const { clock } = this.#options;
    const deadlineMs = clock.now() + (options.waitMs ?? Number.POSITIVE_INFINITY);
    return this.#reader.read(after, options, () => clock.now() >= deadlineMs);
  }

  scan(after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds> {
    return this.read(after, options).then((page) => takePage(page, take));
  }

  follow(onBatch: (records: readonly EventRecord[]) => void): () => void {
    return this.#followers.add(onBatch);
  }

  async catchUp(waitMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.now() + waitMs;
    while (!this.#isClosed) {
      const newest = await this.#watch.ask().catch(() => undefined);
      if (newest !== undefined && this.#head < newest) await this.#untold.wait(newest);
      if (newest !== undefined && this.#head >= newest) return;
      if (clock.now() >= deadlineMs) throw new LogError("LOG_UNREACHABLE", "JetStream does not say where its end is");
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
    throw new LogError("LOG_CLOSED", "the log is closed");
  }

  stats(): LogStats {
    const events = this.head - this.oldest + 1;
    const bytes = events === 0 ? 0 : this.#watch.bytes;
    return { events, bytes, commits: this.#commits, lastCommitMs: this.#lastCommitMs, state: this.#state() };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#watch.stop();
    await Promise.allSettled([...this.#underWay]);
    this.#isClosed = true;
    this.#contact.stop();
    this.#feed.stop();
    this.#reader.close();
    this.#publications.close();
    this.#followers.clear();
  }

  #state(): LogStats["state"] {
    if (this.#isClosed) return "closed";
    if (this.#hasFailed) return "failed";
    if (!this.#contact.isReachable || this.#watch.isLeaderless) return "unreachable";
    return this.#isFull ? "full" : "open";
  }

  async #append(drafts: readonly EventDraft[]): Promise<AppendResult> {
    const { clock, onCommit } = this.#options;
    const startMs = clock.now();
    let stored;
    try {
      stored = await this.#publications.publish(drafts.map((draft) => this.#outgoing(draft)));
    } catch (error) {
      if (error instanceof LogError) this.#isFull = error.code === "LOG_FULL";
      throw error;
    }
    this.#isFull = false;
    this.#watch.heard();
    const { firstSeq, lastSeq, duplicates, newBytes } = stored;
    if (this.#head < lastSeq) await this.#untold.wait(lastSeq);
    const events = drafts.length - duplicates;
    if (events > 0) {
      this.#commits += 1;
      this.#lastCommitMs = clock.now() - startMs;
      onCommit?.({ events, bytes: newBytes, durationMs: this.#lastCommitMs });
    }
    return { firstSeq, lastSeq, duplicates };
  }

  #outgoing(draft: EventDraft): Outgoing {
    const subject = eventSubject(this.#options.prefix, draft.eventType, draft.clusterId);
    // Without a window every message is its own, but is still known again when it is sent again.
    const messageId = this.#options.dedup.windowMs === 0 ? randomUUID() : undefined;
    return { subject, headers: headersOf(draft, subject, messageId), payload: draft.fields };
  }

  #tell(records: readonly EventRecord[], bytes: number): void {
    const last = records.at(-1);
    if (last === undefined) return;
    const holeTo = (records[0]?.seq ?? 0) - 1;
    if (holeTo > this.#head) this.#options.onHole?.(holeTo);
    this.#head = last.seq;
    this.#watch.bytes += bytes;
    this.#followers.tell(records);
    this.#untold.reached(last.seq);
  }

  #fail(): void {
    if (!this.#hasFailed)
      this.#options.onError?.(new Error("the stream was deleted and made anew; the service has to be started anew"));
    this.#hasFailed = true;
  }
}
