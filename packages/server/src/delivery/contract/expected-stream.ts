// The oracle of one consumer: from the list of published events, and of what the consumer asked for and when, it knows
// what the stream must hold and in which order, and checks every frame against it as it is written.
import type { Policy } from "@sluice/protocol";
import type { EventMatch } from "../../log/event-log.js";
import type { ReadFrame } from "./recording-sink.js";

/** An event as the oracle knows it. */
export interface PublishedEvent {
  readonly seq: number;
  readonly eventType: string;
  readonly clusterId: string | undefined;
}

/** What the oracle may ask about the world around the consumer. */
export interface Surroundings {
  /** Event `seq` is at index `seq − 1`. */
  readonly published: readonly PublishedEvent[];
  readonly routedSeq: () => number;
  readonly oldest: () => number;
}

/** One event that the stream must hold in this place, or a gap that stands for it. */
interface Item {
  readonly seq: number;
  /** How many changes of subscriptions came before it. */
  readonly version: number;
  /** Set for what a `since` asked for: which of them. */
  readonly replay: number | undefined;
  /** Nothing may be skipped of it while the log has it. */
  readonly isLossless: boolean;
  /** A later change took it out before it was written. */
  isExcused: boolean;
  /** A reply to a later change was written before it. */
  isOvertaken: boolean;
}

interface ExpectedReply {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  /** It may go before what waited when it was queued. */
  readonly mayOvertake: boolean;
}

interface ExpectedLive {
  readonly id: string;
  readonly replay: number;
}

export class ExpectedStream {
  readonly violations: string[] = [];
  /** Sum of the gaps' `dropped`, and whether one was null. */
  dropped = 0;
  hasUnknownGap = false;
  delivered = 0;
  deliveredBytes = 0;
  /** What the newest ping promised. */
  promisedSeq: number;
  isLagging = false;
  readonly #policy: Policy;
  readonly #world: Surroundings;
  readonly #maxMessages: number;
  readonly #items: Item[] = [];
  #next = 0;
  #syncedSeq: number;
  #set: EventMatch = { matches: () => false };
  #version = 0;
  #acknowledged = 0;
  #replays = 0;
  #lives: ExpectedLive[] = [];
  #replies: ExpectedReply[] = [];
  #lastSeq = 0;

  constructor(options: { readonly policy: Policy; readonly maxMessages: number; readonly world: Surroundings }) {
    this.#policy = options.policy;
    this.#maxMessages = options.maxMessages;
    this.#world = options.world;
    this.#syncedSeq = options.world.routedSeq();
    this.promisedSeq = this.#syncedSeq;
  }

  get isCatchingUp(): boolean {
    return this.#lives.length > 0;
  }

  /** Items not yet written, nor covered by a gap, nor taken out by a change. */
  get owed(): number {
    this.sync();
    let owed = 0;
    for (let index = this.#next; index < this.#items.length; index += 1) {
      if (this.#items[index]?.isExcused === false) owed += 1;
    }
    return owed;
  }

  /** Items not yet written nor covered by a gap, those taken out by a change included. */
  get waiting(): number {
    this.sync();
    return this.#items.length - this.#next;
  }

  /** Takes in what has been routed since it was last called. */
  sync(): void {
    const routedSeq = this.#world.routedSeq();
    for (let seq = this.#syncedSeq + 1; seq <= routedSeq; seq += 1) {
      if (this.#wants(this.#set, seq)) this.#owe(seq, undefined, this.#policy === "replay" || this.isCatchingUp);
    }
    this.#syncedSeq = Math.max(this.#syncedSeq, routedSeq);
  }

  #wants(match: EventMatch, seq: number): boolean {
    const event = this.#world.published[seq - 1];
    if (event === undefined) throw new Error(`event ${seq} was routed and never published`);
    return match.matches(event.eventType, event.clusterId);
  }

  #owe(seq: number, replay: number | undefined, isLossless: boolean): void {
    const version = this.#version;
    this.#items.push({ seq, version, replay, isLossless, isExcused: false, isOvertaken: false });
  }

  /** The consumer's subscriptions are now `set`; a reply of that type and id will say so. Call `sync` before. */
  changed(set: EventMatch, type: string, id: string): void {
    this.#set = set;
    this.#version += 1;
    for (let index = this.#next; index < this.#items.length; index += 1) {
      const item = this.#items[index] as Item;
      if (!this.#wants(set, item.seq)) item.isExcused = true;
    }
    this.replied(type, id);
  }

  /** A reply was asked for. */
  replied(type: string, id: string): void {
    const mayOvertake = this.#policy === "replay" || this.isCatchingUp;
    this.#replies.push({ type, id, version: this.#version, mayOvertake });
  }

  /** Everything published after `since` that `set` matches was asked for. */
  replayed(set: EventMatch, since: number, id: string): void {
    this.#replays += 1;
    for (let seq = since + 1; seq <= this.#world.routedSeq(); seq += 1) {
      if (this.#wants(set, seq)) this.#owe(seq, this.#replays, true);
    }
    this.#lives.push({ id, replay: this.#replays });
  }

  /** Checks a frame in the moment at which it is written. */
  frame(frame: ReadFrame): void {
    this.sync();
    switch (frame.type) {
      case "event":
        this.#event(frame);
        return;
      case "gap":
        this.#gap(frame);
        return;
      case "ping":
        this.promisedSeq = frame.seq as number;
        this.#promise("ping", this.promisedSeq);
        return;
      case "live":
        this.#live(frame);
        return;
      case "lag":
        this.#lag(frame);
        return;
      default:
        this.#reply(frame);
    }
  }

  #fail(what: string): void {
    this.violations.push(what);
  }

  #event(frame: ReadFrame): void {
    const seq = frame.seq as number;
    let index = this.#next;
    while (index < this.#items.length) {
      const item = this.#items[index] as Item;
      if (item.seq === seq && !item.isExcused) break;
      index += 1;
    }
    const item = this.#items[index];
    if (item === undefined) {
      this.#fail(`event ${seq} is not subscribed to, or was sent before, or is out of order`);
      return;
    }
    for (const missing of this.#items.slice(this.#next, index)) {
      if (!missing.isExcused) this.#fail(`event ${missing.seq} is missing before ${seq}, and no gap stands for it`);
    }
    if (item.version > this.#acknowledged) this.#fail(`event ${seq} was sent before the reply to its subscription`);
    if (item.isOvertaken) this.#fail(`event ${seq} was overtaken by a reply`);
    this.#next = index + 1;
    this.#lastSeq = seq;
    this.delivered += 1;
    this.deliveredBytes += frame.bytes;
  }

  #gap(frame: ReadFrame): void {
    const {
      reason,
      from_seq: from,
      to_seq: to,
      dropped,
    } = frame as unknown as {
      reason: string;
      from_seq: number;
      to_seq: number;
      dropped: number | null;
    };
    const name = `the ${reason} gap ${from}..${to}`;
    if (dropped === null) this.hasUnknownGap = true;
    else this.dropped += dropped;
    if (dropped === 0) this.#fail(`${name} says that nothing is missing`);
    if (reason === "epoch") {
      if (this.#lives.length === 0) this.#fail(`${name} without a replay`);
      return;
    }
    if (from > to) this.#fail(`${name} is empty`);
    if (this.#replays === 0 && from <= this.#lastSeq)
      this.#fail(`${name} covers what was sent, up to ${this.#lastSeq}`);
    const covered = this.#cover(from, to, dropped);
    const least = covered.filter((item) => !item.isExcused).length;
    if (dropped !== null && (dropped < least || dropped > covered.length)) {
      this.#fail(`${name} says ${dropped} and covers ${least} to ${covered.length}`);
    }
    if (reason === "overflow") this.#overflow(name, dropped, covered);
    for (const item of covered) {
      const isGone = item.seq < this.#world.oldest();
      if (item.isLossless && !item.isExcused && !isGone)
        this.#fail(`${name} skips event ${item.seq}, which the log has`);
      if (item.version > this.#acknowledged) this.#fail(`${name} was sent before the reply to the subscription`);
    }
  }

  /** Passes over the items of one stretch of the stream, live or one replay's, that lie in the gap. */
  #cover(from: number, to: number, dropped: number | null): Item[] {
    let found: { readonly covered: Item[]; readonly next: number } | undefined;
    for (let index = this.#next; index < this.#items.length;) {
      const stretch = this.#items[index]?.replay;
      const covered: Item[] = [];
      let next = this.#next;
      let isStuck = false;
      for (; this.#items[index]?.replay === stretch && index < this.#items.length; index += 1) {
        const item = this.#items[index] as Item;
        if (item.seq >= from && item.seq <= to) {
          covered.push(item);
          next = index + 1;
        } else if (!item.isExcused) isStuck = true;
        if (isStuck) break;
      }
      const owed = covered.filter((item) => !item.isExcused).length;
      // Where only what was taken out lies in it, a later stretch may be the one that is meant.
      const isMeant = dropped === null ? owed > 0 : owed <= dropped && dropped <= covered.length;
      if (covered.length > 0 && (found === undefined || isMeant)) found = { covered, next };
      if (isStuck || owed > 0 || (isMeant && covered.length > 0)) break;
    }
    this.#next = found?.next ?? this.#next;
    return found?.covered ?? [];
  }

  #overflow(name: string, dropped: number | null, covered: readonly Item[]): void {
    if (!this.#policy.startsWith("drop-")) this.#fail(`${name} under policy ${this.#policy}`);
    if (covered.some((item) => item.replay !== undefined)) this.#fail(`${name} skips what a since asked for`);
    if (dropped === null && covered.every((item) => item.seq >= this.#world.oldest()))
      this.#fail(`${name} doesn't say how many`);
    if (this.#policy === "drop-oldest" && this.waiting < this.#maxMessages) {
      this.#fail(`${name} skipped more than it had to: ${this.waiting} wait, ${this.#maxMessages} may`);
    }
  }

  #promise(who: string, seq: number): void {
    const owed = this.#items.slice(this.#next).find((item) => !item.isExcused && item.seq <= seq);
    if (owed !== undefined) this.#fail(`${who} promises ${seq}, and event ${owed.seq} was not sent`);
  }

  #live(frame: ReadFrame): void {
    const expected = this.#lives.shift();
    if (expected === undefined || expected.id !== frame.id) {
      this.#fail(`live ${String(frame.id)} where ${String(expected?.id)} was due`);
      return;
    }
    const owed = this.#items.slice(this.#next).find((item) => !item.isExcused && item.replay === expected.replay);
    if (owed !== undefined) this.#fail(`live ${expected.id} before event ${owed.seq} of its replay`);
    this.#promise("live", frame.seq as number);
  }

  #lag(frame: ReadFrame): void {
    const isPause = frame.state === "paused";
    if (isPause === this.isLagging) this.#fail(`lag ${String(frame.state)} twice`);
    this.isLagging = isPause;
  }

  #reply(frame: ReadFrame): void {
    const expected = this.#replies.shift();
    if (expected === undefined || expected.type !== frame.type || expected.id !== frame.id) {
      this.#fail(`reply ${frame.type} ${String(frame.id)} where ${expected?.type} ${expected?.id} was due`);
      return;
    }
    this.#acknowledged = expected.version;
    if (expected.mayOvertake) return;
    for (const item of this.#items.slice(this.#next)) if (item.version < expected.version) item.isOvertaken = true;
  }

  /** Checks that nothing is owed any more. */
  finish(): void {
    this.sync();
    for (const item of this.#items.slice(this.#next)) {
      if (!item.isExcused) this.#fail(`event ${item.seq} was never sent, and no gap stands for it`);
    }
    for (const { type, id } of this.#replies) this.#fail(`the reply ${type} ${id} was never sent`);
    for (const { id } of this.#lives) this.#fail(`the replay ${id} never went live`);
    if (this.isLagging) this.#fail("it was paused and never resumed");
  }
}
