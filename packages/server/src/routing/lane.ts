// Connections with the same interests and encoding. Those level with the lane are written in passes, one after the
// other, each getting what came since it was written last; those behind are an ordinal into its window of seqs, so that
// a slow one costs a number and not a copy.

import type { Encoding } from "./encoding.js";
import { SeqWindow } from "./seq-window.js";
import type { SharedEvent } from "./shared-event.js";
import type { SubscriptionSet } from "./subscription-set.js";

/** Where a member stands in its lane; owned by the lane. */
export interface LaneMember {
  /** Index in the lane's level members, −1 when it isn't level. */
  laneSlot: number;
  /** Of a level member: ordinal of the first event that it has not been given. */
  laneCursor: number;
}

/** Running totals of what came into the lane: a member's share is the difference between two readings. */
export interface LaneTotals {
  events: number;
  bytes: number;
  /** Events that every level member has been given, and their latency until the last of them had it. */
  timed: number;
  latencySumMs: number;
  /** Monotonic ms of the newest write to a level member; 0 before the first. Whoever writes notes it. */
  writtenAtMs: number;
}

/** What a lane holds that nothing is routed to. One for all: as many lanes wait as there are interests. */
const noEvents: readonly SharedEvent[] = [];

/** A lane of members of type `M`. */
export class Lane<M extends LaneMember> {
  readonly set: SubscriptionSet;
  readonly encoding: Encoding;
  /** Members that get what comes; order is of no meaning. */
  readonly level: M[] = [];
  /** Members that are to be looked at when events have come: behind, and not yet past their limit. */
  readonly behind = new Set<M>();
  /** Members that cost nothing per event: paused. */
  readonly parked = new Set<M>();
  /** Seqs that members who aren't level may still need; empty while all are level. */
  readonly window = new SeqWindow();
  readonly totals: LaneTotals = { events: 0, bytes: 0, timed: 0, latencySumMs: 0, writtenAtMs: 0 };
  /** Events that a level member may not have been given, in `seq` order, up to the newest. */
  pending: readonly SharedEvent[] = noEvents;
  pendingBytes = 0;
  /** Level members, from the first on, that the pass under way has still to come to; 0 between two passes. */
  unwritten = 0;
  /** Whether something came since those behind were looked at; whoever looks resets it. */
  isTouched = false;
  /** Whether it stands in the queue of those to be written; the queue's own. */
  isQueued = false;
  /** Seq of the newest event; 0 before the first. */
  lastSeq = 0;
  /** Ordinal of what the next event would have been when the pass under way began. */
  #passEnd = 0;

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

  /** How many events came since the lane began: the ordinal of the next. */
  get end(): number {
    return this.totals.events;
  }

  /** Takes an event in; once, however many of the lane's subscriptions it matches. */
  accept(event: SharedEvent): boolean {
    const { seq } = event;
    if (seq === this.lastSeq) return false;
    this.lastSeq = seq;
    const { length } = event.bytes(this.encoding);
    this.totals.events += 1;
    this.totals.bytes += length;
    if (this.level.length > 0) {
      // An array of one holds no room for more, and a lane with few events has one at a time.
      if (this.pending.length === 0) this.pending = [event];
      else (this.pending as SharedEvent[]).push(event);
      this.pendingBytes += length;
    }
    if (this.hasLaggards) this.window.push(seq);
    else this.window.restartAt(this.end);
    return true;
  }

  /** What came from an ordinal on that a level member stood at; at least one event. */
  pendingFrom(ordinal: number): readonly SharedEvent[] {
    const skipped = this.pending.length - (this.end - ordinal);
    return skipped === 0 ? this.pending : this.pending.slice(skipped);
  }

  /** Bytes of all that came before an ordinal that a level member stands at. */
  bytesBefore(ordinal: number): number {
    let { bytes } = this.totals;
    if (ordinal < this.end) for (const event of this.pendingFrom(ordinal)) bytes -= event.bytes(this.encoding).length;
    return bytes;
  }

  /** Begins to write: each level member's turn comes once. */
  beginPass(): void {
    this.unwritten = this.level.length;
    this.#passEnd = this.end;
  }

  /** The next member whose turn it is. Call while `unwritten` is over 0. */
  nextUnwritten(): M {
    this.unwritten -= 1;
    return this.level[this.unwritten] as M;
  }

  /** All have had their turn: what came before the pass is needed no more. Says whether something came since. */
  endPass(now: number): boolean {
    const { totals, pending } = this;
    const begun = pending.length - (this.end - this.#passEnd);
    for (let index = 0; index < begun; index += 1) {
      const event = pending[index] as SharedEvent;
      totals.latencySumMs += now - event.durableAtMs;
      this.pendingBytes -= event.bytes(this.encoding).length;
    }
    totals.timed += Math.max(0, begun);
    if (begun >= pending.length) this.#forgetPending();
    else if (begun > 0) this.pending = pending.slice(begun);
    return this.pending.length > 0;
  }

  #forgetPending(): void {
    this.pending = noEvents;
    this.pendingBytes = 0;
  }

  /** A level member gets what comes from now on. */
  addLevel(member: M): void {
    member.laneSlot = this.level.push(member) - 1;
    member.laneCursor = this.end;
  }

  removeLevel(member: M): void {
    // The place that it leaves is filled without anybody's turn being passed over, or coming twice.
    if (member.laneSlot < this.unwritten) {
      const other = this.nextUnwritten();
      this.#place(other, member.laneSlot);
      member.laneSlot = this.unwritten;
    }
    const last = this.level.pop();
    if (last !== undefined && member.laneSlot < this.level.length) this.#place(last, member.laneSlot);
    member.laneSlot = -1;
    if (this.level.length === 0) this.#forgetPending();
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
