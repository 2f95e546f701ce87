// Writes what has come into lanes to their level members, in slices of time: between two the event loop reads what came
// in, so that a thousand writes delay neither a publish nor its commit; and what has come meanwhile goes out with what
// a member is being written anyway. Lanes take turns, so that a large one delays no small one.

import type { Clock } from "@sluice/runtime";
import type { Lane } from "../routing/lane.js";
import type { SharedEvent } from "../routing/shared-event.js";
import type { Consumer } from "./consumer.js";
import type { DeliveryTally } from "./delivery-tally.js";
import { JoinedMemory } from "./joined-memory.js";

/** Writes to members of one lane before the next lane has its turn. */
const writesPerTurn = 64;
/** Writes between two looks at the clock: a system call each, about 10 µs. */
const writesPerLook = 16;

/** What a flusher works with. */
export interface FlusherOptions {
  readonly clock: Clock;
  readonly tally: DeliveryTally;
  /** The transport of a level consumer has not taken everything. */
  readonly onBlocked: (consumer: Consumer) => void;
}

/** What a member is to be given that stands where others of its lane stood. */
interface Portion {
  readonly lane: Lane<Consumer>;
  /** Ordinals of the first event in it and of the first behind it. */
  readonly from: number;
  readonly end: number;
  readonly events: readonly SharedEvent[];
  /** What travels for them, shared by all who get it. */
  readonly bytes: Buffer;
}

/** Writes to those who are level, for all lanes of a process. It holds nothing but lanes, and waits for no socket. */
export class Flusher {
  readonly #options: FlusherOptions;
  /** Lanes with something to write, in the order of their turns, from `#next` on. */
  #queue: Lane<Consumer>[] = [];
  #next = 0;
  /** The newest portion, which most of those who come next get too. */
  #portion: Portion | undefined;
  readonly #memory = new JoinedMemory();

  constructor(options: FlusherOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  /** Something has come into the lane: its members are written when its turn comes. */
  add(lane: Lane<Consumer>): void {
    if (lane.isQueued) return;
    lane.isQueued = true;
    this.#queue.push(lane);
  }

  /** Writes until nothing waits, or until the clock says `deadline`; something in any case. */
  run(deadline: number): void {
    for (let lane = this.#dequeue(); lane !== undefined; lane = this.#dequeue()) {
      if (lane.unwritten === 0) lane.beginPass();
      const now = this.#write(lane, deadline);
      if (lane.unwritten > 0 || lane.endPass(now)) this.#queue.push(lane);
      else lane.isQueued = false;
      if (now >= deadline) break;
    }
    this.#portion = undefined;
  }

  /** Gives a level consumer what came into its lane since it was written last. */
  bringUp(consumer: Consumer): void {
    const { lane, laneCursor } = consumer;
    if (lane === undefined || !consumer.isLevel || laneCursor === lane.end) return;
    const portion = this.#portionOf(lane, laneCursor);
    consumer.laneCursor = lane.end;
    const isTaken = this.#give(consumer, portion);
    const now = this.#options.clock.now();
    this.#count(portion, 1, now);
    if (!isTaken) this.#block(consumer, portion, now);
  }

  #dequeue(): Lane<Consumer> | undefined {
    const lane = this.#queue[this.#next];
    this.#next += 1;
    if (lane !== undefined && this.#next < this.#queue.length / 2) return lane;
    this.#queue = this.#queue.slice(this.#next);
    this.#next = 0;
    return lane;
  }

  /** Gives the next members of a lane their turn; says what the clock said after the last write. */
  #write(lane: Lane<Consumer>, deadline: number): number {
    const { clock } = this.#options;
    const { end } = lane;
    let portion: Portion | undefined;
    let shared = 0;
    let blocked: [Consumer, Portion][] | undefined;
    let now = Number.NEGATIVE_INFINITY;
    for (let written = 0; lane.unwritten > 0 && written < writesPerTurn && now < deadline;) {
      const consumer = lane.nextUnwritten();
      const from = consumer.laneCursor;
      if (from === end) continue;
      if (portion?.from !== from) {
        if (portion !== undefined) this.#count(portion, shared, clock.now());
        portion = this.#portionOf(lane, from);
        shared = 0;
      }
      consumer.laneCursor = end;
      if (!this.#give(consumer, portion)) (blocked ??= []).push([consumer, portion]);
      shared += 1;
      written += 1;
      if (written % writesPerLook === 0) now = clock.now();
    }
    // Once for all that a visit needs it for: a lane with a single member is visited for each of its events.
    now = clock.now();
    if (portion !== undefined) this.#count(portion, shared, now);
    if (blocked !== undefined) for (const [consumer, given] of blocked) this.#block(consumer, given, now);
    return now;
  }

  /** Says whether the consumer's transport took all of it. */
  #give({ sink }: Consumer, { bytes }: Portion): boolean {
    const isTaken = sink.write(bytes);
    if (sink.holdsBytes) this.#memory.keep(bytes);
    return isTaken;
  }

  #portionOf(lane: Lane<Consumer>, from: number): Portion {
    const { end } = lane;
    const known = this.#portion;
    if (known?.lane === lane && known.from === from && known.end === end) return known;
    const events = lane.pendingFrom(from);
    const parts = events.map((event) => event.bytes(lane.encoding));
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : this.#memory.join(parts);
    this.#portion = { lane, from, end, events, bytes };
    return this.#portion;
  }

  #count({ lane, events, bytes }: Portion, writes: number, now: number): void {
    lane.totals.writtenAtMs = now;
    this.#options.tally.countWrites(events, bytes.length, writes, now);
  }

  /** It leaves before its lane times what it was given, at the end of the pass. */
  #block(consumer: Consumer, { events }: Portion, now: number): void {
    for (const { durableAtMs } of events) consumer.countLatency(now - durableAtMs);
    this.#options.onBlocked(consumer);
  }
}
