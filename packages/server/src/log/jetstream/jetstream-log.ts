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
  type ReadOptions,
} from "../event-log.js";
import { Followers } from "../followers.js";
import type { LogOptions } from "../log-options.js";
import { Contact } from "./contact.js";
import { epochOf, openStream, streamInfo, type StreamInfo } from "./open-stream.js";
import type { Outgoing } from "./publication.js";
import { Publications } from "./publications.js";
import { SeqWaiters } from "./seq-waiters.js";
import { eventSubject, headerBytesMax, headersOf, sizeProblem } from "./stored-message.js";
import { StreamFeed } from "./stream-feed.js";
import { StreamReader } from "./stream-reader.js";
import type { StreamWish } from "./stream-config.js";

const pendingBytesMaxDefault = 64 * 1024 * 1024;
const infoIntervalMsDefault = 1000;
/** JetStream must know a message id for longer than it is sent again. */
const duplicateWindowFactor = 2;
/** No leader of the stream has answered for this long, ms: it takes no events. An election takes less. */
const leaderlessMsMax = 10_000;

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
  readonly eventBytesMax: number;
  readonly #options: JetStreamLogOptions;
  readonly #feed: StreamFeed;
  readonly #reader: StreamReader;
  readonly #publications: Publications;
  readonly #contact: Contact;
  readonly #followers: Followers;
  readonly #timer: NodeJS.Timeout;
  readonly #created: string;
  readonly #untold = new SeqWaiters();
  readonly #underWay = new Set<Promise<unknown>>();
  #head: number;
  #oldest: number;
  #bytes: number;
  #pendingBytes = 0;
  #commits = 0;
  #lastCommitMs = 0;
  #hasFailed = false;
  #isFull = false;
  #isClosed = false;
  #isAsking = false;
  #leaderHeardAtMs: number;
  #closing: Promise<void> | undefined;

  constructor(options: JetStreamLogOptions, info: StreamInfo) {
    const { nats, stream, clock } = options;
    this.#options = options;
    this.epoch = epochOf(info);
    this.#created = info.created;
    this.#head = info.state.last_seq;
    this.#oldest = Math.max(1, info.state.first_seq);
    this.#bytes = info.state.bytes;
    this.#leaderHeardAtMs = clock.now();
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
    this.#timer = setInterval(() => void this.#ask(), options.retentionIntervalMs ?? infoIntervalMsDefault);
    this.#timer.unref();
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
    return maxEvents === null ? this.#oldest : Math.max(this.#oldest, this.#head - maxEvents + 1);
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

  follow(onBatch: (records: readonly EventRecord[]) => void): () => void {
    return this.#followers.add(onBatch);
  }

  stats(): LogStats {
    const events = this.head - this.oldest + 1;
    const bytes = events === 0 ? 0 : this.#bytes;
    return { events, bytes, commits: this.#commits, lastCommitMs: this.#lastCommitMs, state: this.#state() };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
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
    const isLeaderless = this.#options.clock.now() - this.#leaderHeardAtMs >= leaderlessMsMax;
    if (!this.#contact.isReachable || isLeaderless) return "unreachable";
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
    this.#leaderHeardAtMs = clock.now();
    this.#contact.heard();
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
    if (this.stats().events === 0) this.#bytes = 0;
    this.#head = last.seq;
    this.#bytes += bytes;
    this.#followers.tell(records);
    this.#untold.reached(last.seq);
  }

  /** What retention has taken is known only by asking. */
  async #ask(): Promise<void> {
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    const { nats, stream, clock } = this.#options;
    try {
      const info = await streamInfo(nats, stream);
      this.#leaderHeardAtMs = clock.now();
      this.#contact.heard();
      if (info.created === this.#created) {
        this.#oldest = Math.max(this.#oldest, Math.min(info.state.first_seq, this.#head + 1));
        this.#bytes = info.state.bytes;
      } else this.#fail();
    } catch {
      // Nobody answers: `#state` counts the time.
    } finally {
      this.#isAsking = false;
    }
  }

  #fail(): void {
    if (!this.#hasFailed)
      this.#options.onError?.(new Error("the stream was deleted and made anew; the service has to be started anew"));
    this.#hasFailed = true;
  }
}
