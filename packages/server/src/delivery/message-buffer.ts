// What one connection has still to be sent, as positions and never as copies: seqs and ranges of the log that come
// first, then everything from an ordinal of its lane on. Pure: it decides what is next, it sends nothing.

import type { Policy } from "@sluice/protocol";
import type { EventMatch } from "../log/event-log.js";
import type { SubscriptionSet } from "../routing/subscription-set.js";
import { Narrowing } from "./narrowing.js";
import { burdenOf, countedOf, loseOfRange, scanRange, sizeOf, startOf } from "./segment.js";
import type { Gap, LogRange, RangeSegment, Segment, Step } from "./segment.js";

export type { Gap, LogRange } from "./segment.js";

/** What the buffer must know of the lane it rides in. */
export interface LaneView {
  readonly set: EventMatch;
  readonly end: number;
  readonly lastSeq: number;
  readonly window: { readonly start: number; readonly end: number; at(ordinal: number): number };
}

const level: Step = { kind: "level" };

/** What waits for one connection: at most `maxMessages` once its policy was applied, unless it is lossless. */
export class MessageBuffer {
  readonly maxMessages: number;
  readonly policy: Policy;
  /** Every event of the lane up to this seq was sent, or a gap stands for it. */
  position: number;
  /**
   * What was sent, skipped or lost so far, in the measure of `ahead`: `passed + ahead` is the place of whatever is
   * queued now, and is reached exactly when all that waits now has been passed.
   */
  passed = 0;
  /** Events skipped so far. */
  dropped = 0;
  /** Ordinal in the lane of the first event that isn't in a segment. */
  cursor = 0;
  /** Set while a replay asked for by `since` runs: nothing is skipped until it has met the live end. */
  catchingUp = false;
  /** Policy `drop-newest`, past its limit: what the lane gets is skipped until the buffer thaws. */
  frozen = false;
  readonly #segments: Segment[] = [];
  /** What the lane got up to this seq is behind the cursor. */
  #cursorSeq = 0;

  constructor(options: { readonly maxMessages: number; readonly policy: Policy; readonly position: number }) {
    this.maxMessages = options.maxMessages;
    this.policy = options.policy;
    this.position = options.position;
  }

  /** Whether nothing may be skipped: it is fed from the log for as long as it takes. */
  get isLossless(): boolean {
    return this.policy === "replay" || this.catchingUp;
  }

  /**
   * Everything subscribed to up to this seq was sent, or a gap that was sent stands for it: lower than `position` while
   * a replay goes back over the past.
   */
  get sentTo(): number {
    return this.#segments.reduce((sentTo, segment) => Math.min(sentTo, startOf(segment) ?? sentTo), this.position);
  }

  /** What changes of subscriptions have left to remember, as `burdenOf`. */
  get burden(): number {
    return burdenOf(this.#segments);
  }

  /** Events that count for the place of a reply that is queued now. */
  ahead(lane: LaneView | undefined): number {
    return this.#segments.reduce((sum, segment) => sum + countedOf(segment), this.#inLane(lane));
  }

  /** Events that wait; past `maxMessages` only when lossless or when the policy has not been applied yet. */
  size(lane: LaneView | undefined): number {
    return this.#segments.reduce((sum, segment) => sum + sizeOf(segment), this.#inLane(lane));
  }

  #inLane(lane: LaneView | undefined): number {
    return lane === undefined || this.frozen ? 0 : lane.end - this.cursor;
  }

  /**
   * Applies policy `drop-oldest` up to now. Done only when someone looks, so that a consumer whose socket isn't
   * writable costs nothing however much passes it by.
   */
  settle(lane: LaneView | undefined): void {
    if (lane !== undefined && this.policy === "drop-oldest" && !this.isLossless) this.#skipOldest(lane);
  }

  /** Events skipped up to now, also those that a frozen buffer lets pass. */
  droppedBy(lane: LaneView | undefined): number {
    this.settle(lane);
    return this.dropped + (this.frozen && lane !== undefined ? lane.end - this.cursor : 0);
  }

  /** What is next. */
  next(lane: LaneView | undefined): Step {
    this.settle(lane);
    if (this.#segments.length === 0 && lane !== undefined) this.#reachIntoLane(lane);
    const segment = this.#segments[0];
    if (segment !== undefined) return this.#nextOf(segment);
    if (lane === undefined || this.cursor === lane.end) return level;
    return { kind: "event", seq: lane.window.at(this.cursor), filter: null };
  }

  /** What of the lane is not to be had from its window becomes a segment: what was skipped, what is in the log only. */
  #reachIntoLane(lane: LaneView): void {
    if (this.frozen) this.thaw(lane);
    else if (this.cursor < lane.window.start) this.#rangeBeforeWindow(lane);
  }

  #nextOf(segment: Segment): Step {
    if (segment.kind === "range") return { kind: "range", range: segment.range, filter: segment.narrowing };
    if (segment.kind === "seqs") {
      return { kind: "event", seq: segment.seqs[segment.next] as number, filter: segment.narrowing };
    }
    const { reason, toSeq, dropped } = segment;
    return { kind: "gap", gap: { reason, fromSeq: segment.fromSeq ?? this.position + 1, toSeq, dropped } };
  }

  /** The event that `next` named was sent, or was skipped because it is no longer subscribed to. */
  passEvent(seq: number): void {
    this.position = Math.max(this.position, seq);
    this.#takeEvent(seq);
  }

  #takeEvent(seq: number): void {
    this.passed += 1;
    const segment = this.#segments[0];
    if (segment?.kind === "seqs") {
      segment.next += 1;
      if (sizeOf(segment) === 0) this.#segments.shift();
    } else {
      this.cursor += 1;
      this.#cursorSeq = seq;
    }
  }

  /** The gap that `next` named was sent. */
  passGap(gap: Gap): void {
    this.position = Math.max(this.position, gap.toSeq);
    this.#segments.shift();
  }

  /** The range that `next` named was sent up to `scannedTo`, `matched` events of it. */
  passRange(scannedTo: number, matched: number): void {
    this.#changeRange((segment) => {
      scanRange(segment, scannedTo, matched);
      this.position = Math.max(this.position, segment.range.after);
    });
  }

  /** Something of the range that `next` named is no longer in the log: a gap takes its place, up to `toSeq`. */
  loseRange(toSeq: number): void {
    const gap = this.#changeRange((segment) => loseOfRange(segment, toSeq));
    this.dropped += gap.dropped ?? 0;
    if (gap.dropped === 0) this.position = Math.max(this.position, gap.toSeq);
    else this.#segments.unshift({ kind: "gap", ...gap });
  }

  #changeRange<T>(change: (segment: RangeSegment) => T): T {
    const segment = this.#segments[0];
    if (segment?.kind !== "range") throw new Error("no range is next");
    const before = countedOf(segment);
    const result = change(segment);
    this.passed += before - countedOf(segment);
    if (segment.range.after >= segment.range.until) this.#segments.shift();
    return result;
  }

  /** The event that `next` named, and those after it up to `toSeq`, have left the log: a gap takes their place. */
  loseEvents(lane: LaneView | undefined, toSeq: number): void {
    let first: number | undefined;
    let last = 0;
    let dropped = 0;
    const { length } = this.#segments;
    for (let step = this.next(lane); step.kind === "event"; step = this.next(lane)) {
      if (first !== undefined && (step.seq > toSeq || this.#segments.length !== length)) break;
      first ??= step.seq;
      last = step.seq;
      dropped += 1;
      this.#takeEvent(step.seq);
    }
    if (first === undefined) throw new Error("no event is next");
    this.dropped += dropped;
    this.#segments.unshift({ kind: "gap", reason: "retention", fromSeq: first, toSeq: last, dropped });
  }

  #skipOldest(lane: LaneView): void {
    let excess = this.size(lane) - this.maxMessages;
    if (excess <= 0) return;
    this.dropped += excess;
    this.passed += excess;
    let dropped: number | null = excess;
    while (excess > 0) {
      const segment = this.#segments[0];
      if (segment === undefined) {
        this.cursor += excess;
        this.#cursorSeq = this.#nextSeq(lane) - 1;
        excess = 0;
      } else if (segment.kind === "seqs") {
        const skipped = Math.min(excess, sizeOf(segment));
        segment.next += skipped;
        excess -= skipped;
        if (sizeOf(segment) === 0) this.#segments.shift();
      } else if (segment.kind === "gap") {
        dropped = dropped === null || segment.dropped === null ? null : dropped + segment.dropped;
        this.#segments.shift();
      } else throw new Error("a range waits where events may be skipped");
    }
    this.#segments.unshift({ kind: "gap", reason: "overflow", fromSeq: null, toSeq: this.#nextSeq(lane) - 1, dropped });
  }

  #nextSeq(lane: LaneView): number {
    const segment = this.#segments.find((candidate) => candidate.kind === "seqs");
    if (segment !== undefined) return segment.seqs[segment.next] as number;
    return this.cursor < lane.end ? lane.window.at(this.cursor) : lane.lastSeq + 1;
  }

  #rangeBeforeWindow(lane: LaneView): void {
    const { window } = lane;
    const until = window.start < window.end ? window.at(window.start) - 1 : lane.lastSeq;
    this.#pushRange({ after: this.#cursorSeq, until, match: lane.set, count: window.start - this.cursor });
    this.cursor = window.start;
    this.#cursorSeq = until;
  }

  #pushRange(range: LogRange): void {
    this.#segments.push({ kind: "range", range, isPartlyLost: false, narrowing: null });
  }

  /** Policy `drop-newest` past its limit: keeps the oldest `maxMessages`, skips what comes until it thaws. */
  freeze(lane: LaneView): void {
    const inLane = lane.end - this.cursor;
    const room = Math.max(0, this.maxMessages - (this.size(lane) - inLane));
    this.#hold(lane, Math.min(room, inLane));
    this.frozen = true;
  }

  /** There is room again: a gap stands for what was skipped. */
  thaw(lane: LaneView): void {
    this.frozen = false;
    const dropped = lane.end - this.cursor;
    this.cursor = lane.end;
    this.#cursorSeq = lane.lastSeq;
    this.dropped += dropped;
    if (dropped > 0) {
      this.#segments.push({ kind: "gap", reason: "overflow", fromSeq: null, toSeq: lane.lastSeq, dropped });
    }
  }

  #hold(lane: LaneView, count: number): void {
    const seqs: number[] = [];
    for (let ordinal = this.cursor; ordinal < this.cursor + count; ordinal += 1) seqs.push(lane.window.at(ordinal));
    this.cursor += count;
    this.#cursorSeq = seqs.at(-1) ?? this.#cursorSeq;
    if (seqs.length > 0) this.#segments.push({ kind: "seqs", seqs, next: 0, narrowing: null });
  }

  /** Turns what waits in the lane into segments, so that something can go behind it. */
  setAside(lane: LaneView): void {
    if (this.frozen) this.thaw(lane);
    this.settle(lane);
    if (this.cursor < lane.window.start) this.#rangeBeforeWindow(lane);
    this.#hold(lane, lane.end - this.cursor);
  }

  /** Rides in `lane` from its end on; everything up to `routedSeq` was before that. */
  join(lane: LaneView, routedSeq: number): void {
    this.cursor = lane.end;
    this.#cursorSeq = routedSeq;
  }

  /** What waits in segments is sent only where `set` matches it too. */
  narrow(set: SubscriptionSet): void {
    for (const segment of this.#segments) {
      if (segment.kind !== "gap") segment.narrowing = Narrowing.of(segment.narrowing, set);
    }
  }

  /**
   * Asks for a stretch of the log, up to the newest that was routed: after what waits now, before what comes later.
   * With `lost`, a gap goes before it.
   */
  replay(lane: LaneView | undefined, range: LogRange, lost: Gap | undefined): void {
    if (lane !== undefined) {
      this.setAside(lane);
      this.join(lane, range.until);
    }
    if (lost !== undefined) this.#segments.push({ kind: "gap", ...lost });
    this.#pushRange(range);
    this.catchingUp = true;
  }
}
