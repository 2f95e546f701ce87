// Writes what lanes have in their batches, a lane's members one after the other, a short slice of time at once: between
// two slices the event loop reads what came in, so that a round of a thousand writes delays neither a publish nor a commit.

import type { Clock } from "@sluice/runtime";
import type { Lane } from "../routing/lane.js";
import { joinedBytes, type SharedEvent } from "../routing/shared-event.js";
import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";

/** Writes between two looks at the clock: a system call each, 10 µs and more. */
const writesPerLook = 16;

export interface FlusherOptions {
  readonly clock: Clock;
  readonly tally: DeliveryTally;
  /** `buffer.max_messages`: seqs that a lane keeps for those behind. */
  readonly windowMax: number;
  /** The transport of a level consumer has not taken everything. */
  readonly onBlocked: (consumer: Consumer) => void;
  /** More waits than before for a consumer that is behind. */
  readonly onBehind: (consumer: Consumer, lane: Lane<Consumer>) => void;
}

/** A batch on its way to the members that were level when it was taken; `lane.unwritten` of them still lack it. */
interface Round {
  readonly lane: Lane<Consumer>;
  readonly batch: readonly SharedEvent[];
  readonly batchBytes: number;
  /** The batch as it travels, shared by all. */
  readonly bytes: Buffer;
}

export class Flusher {
  readonly #options: FlusherOptions;
  /** Lanes whose batch waits, oldest first, from `#next` on. */
  #queue: Lane<Consumer>[] = [];
  #next = 0;
  /** The one that is not through; other lanes wait for it, or are flushed whole. */
  #round: Round | undefined;

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#round === undefined && this.#next === this.#queue.length;
  }

  /** Puts a lane at the end of the queue: an event has come into its empty batch. */
  add(lane: Lane<Consumer>): void {
    this.#queue.push(lane);
  }

  /** Writes until nothing waits, or until the clock says `deadline`; something in any case. */
  run(deadline: number): void {
    while (!this.isIdle) {
      if (this.#round === undefined) this.#begin(this.#dequeue());
      if (this.#round !== undefined && !this.#write(this.#round, deadline)) return;
      if (this.#options.clock.now() >= deadline) return;
    }
  }

  /** Brings a lane's level members up to all that was routed, at once. */
  flushNow(lane: Lane<Consumer>): void {
    if (this.#round?.lane === lane) this.#write(this.#round, Number.POSITIVE_INFINITY);
    if (lane.batch.length === 0) return;
    const other = this.#round;
    this.#begin(lane);
    if (this.#round !== undefined) this.#write(this.#round, Number.POSITIVE_INFINITY);
    this.#round = other;
  }

  /** Gives a level consumer what the others of its lane are being given, if it is not through yet. */
  bringUp(consumer: Consumer): void {
    const round = this.#round;
    if (round === undefined || consumer.lane !== round.lane || !round.lane.passWritten(consumer)) return;
    const isTaken = consumer.sink.write(round.bytes);
    this.#count(round, 1);
    if (!isTaken) this.#options.onBlocked(consumer);
  }

  #dequeue(): Lane<Consumer> {
    const lane = this.#queue[this.#next] as Lane<Consumer>;
    this.#next += 1;
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    return lane;
  }

  /** Takes a lane's batch; it counts as flushed from here on, whoever leaves the level members on the way. */
  #begin(lane: Lane<Consumer>): void {
    this.#round = undefined;
    const { batchBytes } = lane;
    const batch = lane.takeBatch();
    // It was flushed by itself meanwhile.
    if (batch.length === 0) return;
    const bytes = joinedBytes(batch, lane.encoding, batchBytes);
    lane.record(batch, batchBytes, this.#options.clock.now(), this.#options.windowMax + batch.length);
    lane.beginWriting();
    this.#round = { lane, batch, batchBytes, bytes };
  }

  /** Returns whether the round is through. */
  #write(round: Round, deadline: number): boolean {
    const { lane, bytes } = round;
    let blocked: Consumer[] | undefined;
    let written = 0;
    while (lane.unwritten > 0) {
      const consumer = lane.nextUnwritten();
      if (!consumer.sink.write(bytes)) (blocked ??= []).push(consumer);
      written += 1;
      if (written % writesPerLook === 0 && this.#options.clock.now() >= deadline) break;
    }
    if (written > 0) this.#count(round, written);
    if (blocked !== undefined) for (const consumer of blocked) this.#options.onBlocked(consumer);
    if (lane.unwritten > 0) return false;
    this.#end(lane);
    return true;
  }

  #count({ batch, batchBytes }: Round, writes: number): void {
    this.#options.tally.countFlush(batch, batchBytes, writes, this.#options.clock.now());
  }

  #end(lane: Lane<Consumer>): void {
    this.#round = undefined;
    for (const consumer of lane.behind) this.#options.onBehind(consumer, lane);
    lane.window.trimTo(this.#options.windowMax);
  }
}
