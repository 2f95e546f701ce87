// What one connection has still to be sent, as positions and never as copies: seqs and ranges of the log that come
// first, then everything from an ordinal of its lane on. Pure: it decides what is next, it sends nothing.

import type { GapReason, Policy } from "@sluice/protocol";
import type { EventMatch } from "../log/event-log.js";

/** What the buffer must know of the lane it rides in. */
export interface LaneView {
  readonly set: EventMatch;
  readonly end: number;
  readonly flushedSeq: number;
  readonly window: { readonly start: number; readonly end: number; at(ordinal: number): number };
}

/** Events missing at this place of the stream. */
export interface Gap {
  readonly reason: GapReason;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly dropped: number | null;
}

/** A stretch of the log to be read and filtered. */
export interface LogRange {
  after: number;
  readonly until: number;
  readonly match: EventMatch;
  /** How many matches are left in it, where that is known. */
  count: number | null;
}

type Segment =
  | { readonly kind: "seqs"; readonly seqs: readonly number[]; next: number; filter: EventMatch | null }
  | { readonly kind: "range"; readonly range: LogRange; filter: EventMatch | null }
  | {
      readonly kind: "gap";
      readonly reason: GapReason;
      readonly fromSeq: number | null;
      readonly toSeq: number;
      readonly dropped: number | null;
    };

/** What comes next on the connection. */
export type Step =
  | { readonly kind: "event"; readonly seq: number; readonly filter: EventMatch | null }
  | { readonly kind: "range"; readonly range: LogRange; readonly filter: EventMatch | null }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "level" };

const level: Step = { kind: "level" };

export class MessageBuffer {
  readonly maxMessages: number;
  readonly policy: Policy;
  /** Every wanted event up to this seq was sent, or a gap stands for it. */
  position: number;
  /** Events that were sent or skipped so far: the place of replies among them. */
  passed = 0;
  /** Events skipped so far. */
  dropped = 0;
  /** Ordinal in the lane of the first event that isn't in a segment. */
  cursor = 0;
  /** Set while a replay asked for by `since` runs: nothing is skipped until the connection is level. */
  catchingUp = false;
  /** Policy `drop-newest`, past its limit: what the lane gets is skipped until the buffer thaws. */
  frozen = false;
  #segments: Segment[] = [];
  /** Seq at which the lane was joined: nothing of it before that was asked for. */
  #joinedSeq = 0;

  constructor(options: { readonly maxMessages: number; readonly policy: Policy; readonly position: number }) {
    this.maxMessages = options.maxMessages;
    this.policy = options.policy;
    this.position = options.position;
  }

  /** Whether nothing may be skipped: it is fed from the log for as long as it takes. */
  get isLossless(): boolean {
    return this.policy === "replay" || this.catchingUp;
  }

  /** Events that wait; past `maxMessages` only when lossless or when the policy has not been applied yet. */
  size(lane: LaneView | undefined): number {
    let size = lane === undefined || this.frozen ? 0 : lane.end - this.cursor;
    for (const segment of this.#segments) {
      if (segment.kind === "seqs") size += segment.seqs.length - segment.next;
      else if (segment.kind === "range") size += segment.range.count ?? segment.range.until - segment.range.after;
    }
    return size;
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
    const segment = this.#segments[0];
    if (segment !== undefined) return this.#nextOf(segment);
    if (lane === undefined || this.cursor === lane.end) return level;
    if (this.cursor < lane.window.start) {
      this.#rangeBeforeWindow(lane);
      return this.next(lane);
    }
    return { kind: "event", seq: lane.window.at(this.cursor), filter: null };
  }

  #nextOf(segment: Segment): Step {
    switch (segment.kind) {
      case "gap": {
        const { reason, toSeq, dropped } = segment;
        return { kind: "gap", gap: { reason, fromSeq: segment.fromSeq ?? this.position + 1, toSeq, dropped } };
      }
      case "range":
        return { kind: "range", range: segment.range, filter: segment.filter };
      case "seqs":
        return { kind: "event", seq: segment.seqs[segment.next] as number, filter: segment.filter };
    }
  }

  /** The event that `next` named was sent, or was skipped because it is no longer subscribed to. */
  passEvent(seq: number): void {
    this.passed += 1;
    this.position = Math.max(this.position, seq);
    const segment = this.#segments[0];
    if (segment?.kind !== "seqs") {
      this.cursor += 1;
      return;
    }
    segment.next += 1;
    if (segment.next === segment.seqs.length) this.#segments.shift();
  }

  /** The gap that `next` named was sent. */
  passGap(gap: Gap): void {
    this.passed += gap.dropped ?? 0;
    this.position = Math.max(this.position, gap.toSeq);
    this.#segments.shift();
  }

  /** The range that `next` named was sent up to `scannedTo`, `matched` events of it. */
  passRange(scannedTo: number, matched: number): void {
    const segment = this.#segments[0];
    if (segment?.kind !== "range") throw new Error("no range is next");
    const { range } = segment;
    this.passed += matched;
    range.after = scannedTo;
    if (range.count !== null) range.count = Math.max(0, range.count - matched);
    this.position = Math.max(this.position, Math.min(scannedTo, range.until));
    if (scannedTo >= range.until) this.#segments.shift();
  }

  /** Something of the range that `next` named is no longer in the log: a gap takes its place, up to `toSeq`. */
  loseRange(toSeq: number): void {
    const segment = this.#segments[0];
    if (segment?.kind !== "range") throw new Error("no range is next");
    const { range } = segment;
    const lostTo = Math.min(toSeq, range.until);
    const fromSeq = range.after + 1;
    range.after = lostTo;
    if (lostTo >= range.until) this.#segments.shift();
    this.#segments.unshift({ kind: "gap", reason: "retention", fromSeq, toSeq: lostTo, dropped: null });
  }

  /** The event that `next` named is no longer in the log: a gap takes its place. */
  loseEvent(seq: number): void {
    this.passEvent(seq);
    this.passed -= 1;
    this.dropped += 1;
    this.#segments.unshift({ kind: "gap", reason: "retention", fromSeq: seq, toSeq: seq, dropped: 1 });
  }

  #skipOldest(lane: LaneView): void {
    let excess = this.size(lane) - this.maxMessages;
    if (excess <= 0) return;
    this.dropped += excess;
    let dropped = 0;
    while (excess > 0) {
      const segment = this.#segments[0];
      if (segment?.kind === "seqs") {
        const skipped = Math.min(excess, segment.seqs.length - segment.next);
        segment.next += skipped;
        dropped += skipped;
        excess -= skipped;
        if (segment.next === segment.seqs.length) this.#segments.shift();
      } else if (segment?.kind === "gap") {
        dropped += segment.dropped ?? 0;
        this.#segments.shift();
      } else {
        this.cursor += excess;
        dropped += excess;
        excess = 0;
      }
    }
    this.#segments.unshift({ kind: "gap", reason: "overflow", fromSeq: null, toSeq: this.#nextSeq(lane) - 1, dropped });
  }

  #nextSeq(lane: LaneView): number {
    const segment = this.#segments.find((candidate) => candidate.kind === "seqs");
    if (segment?.kind === "seqs") return segment.seqs[segment.next] as number;
    return this.cursor < lane.end ? lane.window.at(this.cursor) : lane.flushedSeq + 1;
  }

  #rangeBeforeWindow(lane: LaneView): void {
    const { window } = lane;
    const until = window.start < window.end ? window.at(window.start) - 1 : lane.flushedSeq;
    const range = { after: Math.max(this.position, this.#joinedSeq), until, match: lane.set, count: window.start - this.cursor };
    this.#segments.push({ kind: "range", range, filter: null });
    this.cursor = window.start;
  }

  /** Policy `drop-newest` past its limit: keeps the oldest `maxMessages`, skips what comes until it thaws. */
  freeze(lane: LaneView): void {
    const room = Math.max(0, this.maxMessages - (this.size(lane) - (lane.end - this.cursor)));
    const keep = Math.min(room, lane.end - this.cursor);
    this.#hold(lane, keep);
    this.frozen = true;
  }

  /** There is room again: a gap stands for what was skipped. */
  thaw(lane: LaneView): void {
    this.frozen = false;
    const dropped = lane.end - this.cursor;
    this.cursor = lane.end;
    this.dropped += dropped;
    if (dropped > 0) {
      this.#segments.push({ kind: "gap", reason: "overflow", fromSeq: null, toSeq: lane.flushedSeq, dropped });
    }
  }

  #hold(lane: LaneView, count: number): void {
    const seqs: number[] = [];
    for (let ordinal = this.cursor; ordinal < this.cursor + count; ordinal += 1) seqs.push(lane.window.at(ordinal));
    this.cursor += count;
    if (seqs.length > 0) this.#segments.push({ kind: "seqs", seqs, next: 0, filter: null });
  }

  /** Rides in `lane` from its end on; everything up to `routedSeq` was before that. */
  join(lane: LaneView, routedSeq: number): void {
    this.cursor = lane.end;
    this.#joinedSeq = routedSeq;
  }

  /**
   * Leaves a lane, keeping what waits in it as segments; `next` of the new lane goes on after them. Call with the lane
   * flushed. Events that `still` no longer matches are not sent.
   */
  leave(lane: LaneView, still: EventMatch): void {
    if (this.frozen) this.thaw(lane);
    this.settle(lane);
    if (this.cursor < lane.window.start) this.#rangeBeforeWindow(lane);
    this.#hold(lane, lane.end - this.cursor);
    this.narrow(still);
  }

  /** What waits in segments is sent only where `still` matches it too. */
  narrow(still: EventMatch): void {
    for (const segment of this.#segments) {
      if (segment.kind !== "gap") segment.filter = narrower(segment.filter, still);
    }
  }

  /** Asks for a stretch of the log before anything that follows. */
  replay(range: LogRange): void {
    this.#segments.push({ kind: "range", range, filter: null });
    this.catchingUp = true;
  }

  /** Puts a gap where the stream stands now. */
  noteGap(gap: Gap): void {
    this.#segments.push({ kind: "gap", ...gap });
  }
}

/** Filters stack up when a client changes its mind while it is behind; past this many, the rest are not needed. */
const filtersMax = 8;

class Both implements EventMatch {
  readonly depth: number;
  readonly #first: EventMatch;
  readonly #second: EventMatch;

  constructor(first: EventMatch, second: EventMatch) {
    this.#first = first;
    this.#second = second;
    this.depth = (first instanceof Both ? first.depth : 1) + 1;
  }

  matches(eventType: string, clusterId: string | undefined): boolean {
    return this.#first.matches(eventType, clusterId) && this.#second.matches(eventType, clusterId);
  }
}

function narrower(filter: EventMatch | null, still: EventMatch): EventMatch {
  if (filter === null) return still;
  return filter instanceof Both && filter.depth >= filtersMax ? filter : new Both(filter, still);
}
