// Feeds consumers that are behind, each at the speed at which its socket drains, in small slices taken in turn, so
// that one laggard's reading delays neither the live path nor another laggard.

import type { Clock } from "@sluice/runtime";
import { LogError, type EventMatch, type EventRecord } from "../log/event-log.js";
import { CatchUpTurns } from "./catch-up-turns.js";
import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";
import type { EventLoop } from "./event-loop.js";
import { loseDamaged } from "./lose-damaged.js";
import type { LogRange } from "./message-buffer.js";
import { PageReaders } from "./page-readers.js";
import type { Page } from "./page.js";
import type { Pages } from "./pages.js";
import { SliceWriter } from "./slice-writer.js";
import type { Progress, Slice } from "./slice.js";
import type { Tail } from "./tail.js";

/** Bytes joined into one write, and an event: as much as a blocked transport holds on to. */
const chunkBytesMax = 16 * 1024;
/** Bytes for one consumer before the next has its turn. */
const sliceBytesMax = 128 * 1024;
/** Events looked at for one consumer before the next has its turn, wanted or not. */
const sliceEventsMax = 2048;

export interface CatchUpOptions {
  readonly clock: Clock;
  readonly eventLoop: EventLoop;
  /** How long live delivery has worked, in all, ms. */
  readonly liveMs: () => number;
  readonly tail: Tail;
  readonly pages: Pages;
  readonly tally: DeliveryTally;
  readonly onError: (error: unknown, consumerId: string) => void;
  /** Some of what waited was sent. */
  readonly onProgress: (consumer: Consumer) => void;
  /** A replay has met the live end, and that was said. */
  readonly onLive: (consumer: Consumer) => void;
  /** Nothing waits any more. */
  readonly onLevel: (consumer: Consumer) => void;
  /** The consumer can't be fed through a fault of ours. */
  readonly onFault: (consumer: Consumer) => void;
}

export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #readers: PageReaders;
  readonly #writer: SliceWriter;
  readonly #turns: CatchUpTurns;

  constructor(options: CatchUpOptions) {
    this.#options = options;
    const { clock, eventLoop, liveMs } = options;
    this.#turns = new CatchUpTurns({
      clock,
      eventLoop,
      liveMs,
      onTurn: () => options.pages.reclaim((page) => this.#readers.holds(page)),
      run: (consumer) => this.#run(consumer),
    });
    this.#writer = new SliceWriter(options.tally);
    this.#readers = new PageReaders({
      pages: options.pages,
      onPage: (consumer, page, after) => this.#goOn(consumer, page, after),
      onError: (consumer, error) => this.#readFailed(consumer, error),
    });
  }

  get bytes(): number {
    return this.#options.pages.bytes;
  }

  /** Gives the consumer a slice when its turn comes. */
  schedule(consumer: Consumer): void {
    this.#turns.add(consumer);
  }

  /** Gives the consumer one slice; returns how many writes it took. What goes wrong ends this consumer and nothing else. */
  #run(consumer: Consumer): number {
    if (consumer.isReading) return 0;
    let writes = 0;
    try {
      if (!consumer.isClosed && !consumer.isBlocked && !consumer.isLevel) writes = this.#feed(consumer);
    } catch (error) {
      this.#fault(consumer, error);
    }
    this.#readers.done(consumer);
    return writes;
  }

  #feed(consumer: Consumer): number {
    const slice: Slice = { out: [], isLent: false, chunkBytes: 0, bytes: 0, looked: 0, writes: 0 };
    let progress: Progress = "more";
    while (progress === "more" && !consumer.isBlocked) {
      if (slice.bytes >= sliceBytesMax || slice.looked >= sliceEventsMax) break;
      progress = this.#step(consumer, slice);
      if (slice.chunkBytes >= chunkBytesMax) this.#writer.write(consumer, slice);
    }
    this.#turns.delete(consumer);
    if (!consumer.isBlocked) {
      consumer.takeDue(slice.out);
      this.#writer.write(consumer, slice);
    }
    if (!consumer.isClosed) this.#afterSlice(consumer, progress);
    return slice.writes;
  }

  #afterSlice(consumer: Consumer, progress: Progress): void {
    this.#options.onProgress(consumer);
    if (consumer.isBlocked || progress === "wait") return;
    if (progress === "level" && !consumer.hasReplies) this.#options.onLevel(consumer);
    else this.schedule(consumer);
  }

  #step(consumer: Consumer, slice: Slice): Progress {
    const { buffer, lane } = consumer;
    // A reply goes before the gap that stands for what was skipped around it.
    buffer.settle(lane);
    consumer.takeDue(slice.out);
    const step = buffer.next(lane);
    switch (step.kind) {
      case "level":
        return this.#arrive(consumer, slice);
      case "gap": {
        const { gap } = step;
        const { reason, fromSeq, toSeq, dropped } = gap;
        this.#push(
          slice,
          consumer.encoding.encodeFrame({ type: "gap", reason, from_seq: fromSeq, to_seq: toSeq, dropped }),
        );
        this.#options.tally.gaps += 1;
        buffer.passGap(gap);
        return "more";
      }
      case "event":
        return this.#event(consumer, slice, step.seq, step.filter);
      case "range":
        return this.#range(consumer, slice, step.range, step.filter);
    }
  }

  #arrive(consumer: Consumer, slice: Slice): Progress {
    if (consumer.liveDue.length === 0) return "level";
    for (const id of consumer.liveDue.splice(0)) {
      const seq = consumer.buffer.position;
      this.#push(slice, consumer.encoding.encodeFrame({ type: "live", ...(id === undefined ? {} : { id }), seq }));
    }
    this.#options.onLive(consumer);
    return "level";
  }

  #push(slice: Slice, bytes: Buffer): void {
    slice.out.push(bytes);
    slice.chunkBytes += bytes.length;
  }

  /** An event named by its seq: in memory, or in its page of the log. */
  #event(consumer: Consumer, slice: Slice, seq: number, filter: EventMatch | null): Progress {
    const { clock, tail } = this.#options;
    const shared = tail.get(seq);
    slice.looked += 1;
    if (shared !== undefined) {
      if (wants(filter, shared.record)) {
        this.#push(slice, shared.bytes(consumer.encoding));
        this.#count(consumer, 1, shared.bytes(consumer.encoding).length);
        consumer.countLatency(clock.now() - shared.durableAtMs);
      }
      consumer.buffer.passEvent(seq);
      return "more";
    }
    const page = this.#pageAt(consumer, seq - 1);
    if (page === undefined) return this.#wait(consumer, seq - 1);
    const { records } = page;
    const index = records.indexAfter(seq - 1);
    if (index === records.length || records.seqAt(index) !== seq) {
      consumer.buffer.loseEvents(consumer.lane, page.oldest - 1);
      return "more";
    }
    if (filter === null || records.wanted(filter)(index)) this.#sendOf(page, consumer, slice, index, index + 1);
    consumer.buffer.passEvent(seq);
    return "more";
  }

  #sendOf(page: Page, consumer: Consumer, slice: Slice, from: number, to: number): void {
    const before = slice.out.length;
    page.take(consumer.encoding, from, to, slice.out);
    slice.isLent ||= page.isReused;
    let bytes = 0;
    for (let index = before; index < slice.out.length; index += 1) bytes += (slice.out[index] as Buffer).length;
    slice.chunkBytes += bytes;
    this.#count(consumer, to - from, bytes);
  }

  #count(consumer: Consumer, events: number, bytes: number): void {
    const { clock, tally } = this.#options;
    consumer.countSent(events, bytes, clock.now());
    tally.delivered += events;
    tally.bytesOut += bytes;
  }

  #range(consumer: Consumer, slice: Slice, range: LogRange, filter: EventMatch | null): Progress {
    const { buffer } = consumer;
    if (range.after >= range.until) {
      buffer.passRange(range.until, 0);
      return "more";
    }
    const page = this.#pageAt(consumer, range.after);
    if (page === undefined) return this.#wait(consumer, range.after);
    if (page.oldest > range.after + 1) {
      buffer.loseRange(page.oldest - 1);
      return "more";
    }
    this.#sendRuns(consumer, slice, page, range, filter);
    return "more";
  }

  /** Sends what is wanted of a page, a run of neighbours as one buffer, until the chunk is full. */
  #sendRuns(consumer: Consumer, slice: Slice, page: Page, range: LogRange, filter: EventMatch | null): void {
    const { buffer } = consumer;
    const { records } = page;
    const matchesMax = range.count === null ? Number.POSITIVE_INFINITY : consumer.eventsToReply;
    let matched = 0;
    let scannedTo = page.scannedTo;
    const isMatch = records.wanted(range.match);
    const passes = filter === null ? undefined : records.wanted(filter);
    let index = records.indexAfter(range.after);
    let runFrom = index;
    const endRun = (): void => {
      if (index > runFrom) this.#sendOf(page, consumer, slice, runFrom, index);
      runFrom = index + 1;
    };
    for (let runBytes = 0; index < records.length; index += 1) {
      const seq = records.seqAt(index);
      if (seq > range.until) break;
      const isChunkFull = slice.chunkBytes + runBytes >= chunkBytesMax || slice.looked >= sliceEventsMax;
      if (isChunkFull || matched >= matchesMax) {
        scannedTo = seq - 1;
        break;
      }
      slice.looked += 1;
      const isWanted = isMatch(index);
      if (isWanted) matched += 1;
      if (isWanted && passes?.(index) !== false) {
        runBytes += records.fieldsBytesAt(index);
        continue;
      }
      endRun();
      runBytes = 0;
    }
    endRun();
    buffer.passRange(scannedTo, matched);
  }

  #pageAt(consumer: Consumer, after: number): Page | undefined {
    const { page } = consumer;
    if (page?.covers(after) === true) return page;
    consumer.page = this.#options.pages.peek(after);
    return consumer.page;
  }

  #wait(consumer: Consumer, after: number): Progress {
    this.#readers.need(consumer, after);
    return "wait";
  }

  #goOn(consumer: Consumer, page: Page, after: number): void {
    if (!page.covers(after)) {
      this.#fault(consumer, new Error(`the log holds nothing after seq ${after}, though its head was beyond it`));
    }
    this.schedule(consumer);
  }

  #readFailed(consumer: Consumer, error: unknown): void {
    if (!(error instanceof LogError)) return this.#fault(consumer, error);
    if (error.code === "LOG_CLOSED") return;
    if (error.seqs === undefined) return this.#fault(consumer, error);
    // Damage on the disk takes what it took; a gap stands for it, and what lies behind it is sent.
    this.#options.onError(error, consumer.id);
    loseDamaged(consumer.buffer, consumer.lane, error.seqs);
    this.schedule(consumer);
  }

  #fault(consumer: Consumer, error: unknown): void {
    if (consumer.isClosed) return;
    this.#options.onError(error, consumer.id);
    this.#options.onFault(consumer);
  }
}

function wants(match: EventMatch | null, record: EventRecord): boolean {
  return match === null || match.matches(record.eventType, record.clusterId);
}
