// Puts records of another log into a stream under the seqs that they had, as the only writer; what was begun is gone on
// with. The stream carries the other log's epoch, so that positions of clients stay good.
import type { NatsConnection } from "@nats-io/transport-node";
import type { Clock } from "@sluice/runtime";
import { LogError, type EventRecord } from "../event-log.js";
import { askJetStream } from "./jetstream-api.js";
import { describeStream, epochOf, findStream, type StreamInfo } from "./open-stream.js";
import type { Outgoing } from "./publication.js";
import { Publications } from "./publications.js";
import { eventSubject, headersOf } from "./stored-message.js";
import { configFor, misfitError, misfitsOf, type StreamWish } from "./stream-config.js";

const answerMs = 10_000;

/** The log that is copied. */
export interface ImportSource {
  readonly epoch: string;
  readonly oldest: number;
  readonly head: number;
}

export interface StreamImportOptions {
  readonly nats: NatsConnection;
  readonly wish: StreamWish;
  readonly source: ImportSource;
  readonly clock: Clock;
  /** How long a message is tried again, ms. */
  readonly retryMs: number;
}

/** A copy under way. */
export class StreamImport {
  /** Seq of the newest record in the stream; the next to be written follows it. */
  readonly newest: number;
  readonly #options: StreamImportOptions;
  readonly #publications: Publications;

  private constructor(options: StreamImportOptions, newest: number) {
    this.#options = options;
    this.newest = newest;
    const { nats, clock, retryMs } = options;
    // Disorder shows in the seqs that come back.
    this.#publications = new Publications({ nats, clock, retryMs, onDisorder: () => {} });
  }

  /**
   * Makes the stream, or goes on with one that a copy of the same log has begun.
   * @throws {LogError} `LOG_FORMAT` where there is a stream of that name which holds anything else
   */
  static async open(options: StreamImportOptions): Promise<StreamImport> {
    const { nats, wish, source } = options;
    const info = (await findStream(nats, wish.name)) ?? (await makeStream(options));
    const misfits = misfitsOf(info.config, wish);
    if (misfits.length > 0) throw misfitError(wish.name, misfits);
    const { last_seq: newest } = info.state;
    if (epochOf(info) !== source.epoch || newest > source.head || newest < source.oldest - 1) {
      const what = `the stream ${wish.name} holds events of another log, or newer ones`;
      throw new LogError("LOG_FORMAT", `${what}; copy into another nats.stream, or delete it`);
    }
    return new StreamImport(options, newest);
  }

  /**
   * Writes records, the first of them right after what was handed over before. May be called again before it resolves.
   * @throws {LogError} `LOG_UNREACHABLE`, after which the copy can be begun again; `LOG_FAILED` where somebody else
   *   writes to the stream, after which it has to be deleted.
   */
  async write(records: readonly EventRecord[]): Promise<void> {
    const { firstSeq, lastSeq } = await this.#publications.publish(records.map((record) => this.#outgoing(record)));
    if (firstSeq === records[0]?.seq && lastSeq === records.at(-1)?.seq) return;
    const place = `seqs ${firstSeq} to ${lastSeq} where ${records[0]?.seq} to ${records.at(-1)?.seq} were to be`;
    throw new LogError("LOG_FAILED", `the stream gave ${place}: somebody else writes to it. Delete it and begin again`);
  }

  close(): void {
    this.#publications.close();
  }

  #outgoing(record: EventRecord): Outgoing {
    const { wish, source } = this.#options;
    const subject = eventSubject(wish.prefix, record.eventType, record.clusterId);
    // By place and not by event id: the other log may hold an id twice, once its window had passed.
    const headers = headersOf(record, subject, `${source.epoch}-${record.seq}`);
    return { subject, headers, payload: record.fields };
  }
}

async function makeStream({ nats, wish, source }: StreamImportOptions): Promise<StreamInfo> {
  const config = configFor(wish, describeStream(source.epoch));
  const made = await askJetStream<StreamInfo>(nats, `STREAM.CREATE.${wish.name}`, config, answerMs);
  if (source.oldest === 1) return made;
  // An empty stream that is purged up to a seq begins there, also on servers without `first_seq`.
  await askJetStream(nats, `STREAM.PURGE.${wish.name}`, { seq: source.oldest }, answerMs);
  const begun = await findStream(nats, wish.name);
  if (begun?.state.last_seq !== source.oldest - 1) {
    throw new LogError("LOG_FORMAT", `the stream ${wish.name} can't be made to begin at seq ${source.oldest}`);
  }
  return begun;
}
