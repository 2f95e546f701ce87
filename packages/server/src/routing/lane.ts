// Connections with the same interests and encoding. Those level with the lane get one shared buffer a flush; those
// behind are an ordinal into its window of seqs, so that a slow one costs a number and not a copy.

import type { Encoding } from "./encoding.js";
import { SeqWindow } from "./seq-window.js";
import type { SharedEvent } from "./shared-event.js";
import type { SubscriptionSet } from "./subscription-set.js";

/** Where a member stands in its lane; owned by the lane. */
export interface LaneMember {
  /** Index in the lane's level members, −1 when it isn't level. */
  laneSlot: number;
}

/** Running totals of what went to every level member: a member's share is the difference between two readings. */
export interface LaneTotals {
  events: number;
  bytes: number;
  latencySumMs: number;
  /** Monotonic ms of the newest flush; 0 before the first. */
  flushedAtMs: number;
}

/** What a lane holds that nothing is routed to. One for all: as many lanes wait as there are interests. */
const noEvents: readonly SharedEvent[] = [];

/** A lane of members of type `M`. */
export class Lane<M extends LaneMember> {
  readonly set: SubscriptionSet;
  readonly encoding: Encoding;
  /** Members that get what is flushed; order is of no meaning. */
  readonly level: M[] = [];
  /** Members that are to be looked at after each flush: behind, and not yet past their limit. */
  readonly behind = new Set<M>();
  /** Members that cost nothing per event: paused. */
  readonly parked = new Set<M>();
  /** Seqs that members who aren't level may still need; empty while all are level. */
  readonly window = new SeqWindow();
  readonly totals: LaneTotals = { events: 0, bytes: 0, latencySumMs: 0, flushedAtMs: 0 };
  /** Routed and not yet flushed, in `seq` order. */
  batch: readonly SharedEvent[] = noEvents;
  batchBytes = 0;
  /** Seq of the newest event that was flushed; 0 before the first. */
  flushedSeq = 0;
  /** How many of `level`, from the first on, are still to be given what is being flushed; 0 between two flushes. */
  unwritten = 0;
  #lastSeq = 0;

  constructor(set: SubscriptionSet, encoding: Encoding) {
    this.set = set;
    this.encoding = encoding;
  }

  get isEmpty(): boolean {
    return this.level.length === 0 && !this.hasLaggards;
  }

  /** Whether a member is not level, and will have to be sent later what the level ones get now. */
  get hasLaggards(): boolean {
    return this.behind.size > 0 || this.parked.size > 0;
  }

  /** How many events were flushed since the lane began: the ordinal of the next. */
  get end(): number {
    return this.totals.events;
  }

  /** Takes an event into the batch; once, however many of the lane's subscriptions it matches. */
  accept(event: SharedEvent): boolean {
    if (event.seq === this.#lastSeq) return false;
    this.#lastSeq = event.seq;
    // An array of one holds no room for more, and most batches of a lane with few events are of one.
    if (this.batch.length === 0) this.batch = [event];
    else (this.batch as SharedEvent[]).push(event);
    this.batchBytes += event.bytes(this.encoding).length;
    return true;
  }

  /** Empties the batch, and hands out what was in it. */
  takeBatch(): readonly SharedEvent[] {
    const { batch } = this;
    this.batch = noEvents;
    this.batchBytes = 0;
    return batch;
  }

  addLevel(member: M): void {
    member.laneSlot = this.level.push(member) - 1;
  }

  removeLevel(member: M): void {
    this.passWritten(member);
    const last = this.level.pop();
    if (last !== undefined && last !== member) this.#place(last, member.laneSlot);
    member.laneSlot = -1;
  }

  /** From now on all level members are to be written. */
  beginWriting(): void {
    this.unwritten = this.level.length;
  }

  /** The next member that is to be written, which it counts as from now on. Call while `unwritten` is over 0. */
  nextUnwritten(): M {
    this.unwritten -= 1;
    return this.level[this.unwritten] as M;
  }

  /** Counts a member as written; says whether it was still to be. */
  passWritten(member: M): boolean {
    const { laneSlot } = member;
    if (laneSlot < 0 || laneSlot >= this.unwritten) return false;
    const other = this.nextUnwritten();
    this.#place(other, laneSlot);
    this.#place(member, this.unwritten);
    return true;
  }

  #place(member: M, slot: number): void {
    this.level[slot] = member;
    member.laneSlot = slot;
  }

  /** Takes the member out of wherever it stands. */
  remove(member: M): void {
    if (member.laneSlot !== -1) this.removeLevel(member);
    this.behind.delete(member);
    this.parked.delete(member);
    this.#forgetWindowIfUnneeded();
  }

  /** Counts a batch as flushed, and notes its seqs when someone is behind; `windowMax` of them stay. */
  record(batch: readonly SharedEvent[], bytes: number, now: number, windowMax: number): void {
    const { totals } = this;
    totals.events += batch.length;
    totals.bytes += bytes;
    totals.flushedAtMs = now;
    for (const event of batch) totals.latencySumMs += now - event.durableAtMs;
    this.flushedSeq = (batch[batch.length - 1] as SharedEvent).seq;
    if (!this.hasLaggards) {
      this.window.restartAt(this.end);
      return;
    }
    for (const event of batch) this.window.push(event.seq);
    this.window.trimTo(windowMax);
  }

  #forgetWindowIfUnneeded(): void {
    if (!this.hasLaggards) this.window.restartAt(this.end);
  }

  toLevel(member: M): void {
    this.behind.delete(member);
    this.parked.delete(member);
    this.addLevel(member);
    this.#forgetWindowIfUnneeded();
  }

  toBehind(member: M): void {
    if (member.laneSlot !== -1) this.removeLevel(member);
    this.parked.delete(member);
    this.behind.add(member);
  }

  toParked(member: M): void {
    if (member.laneSlot !== -1) this.removeLevel(member);
    this.behind.delete(member);
    this.parked.add(member);
  }
}
