// The oracle of one consumer: from the list of published events, and of what the consumer asked for and when, it knows
// what the stream must hold and in which order, and checks every frame against it as it is written.
import type { Policy } from "@sluice/protocol";
import type { EventMatch } from "../../log/event-log.js";
import type { ReadFrame } from "./recording-sink.js";
import { StreamItems, type Item, type Reading, type Stretch } from "./stream-items.js";

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

interface ReadGap {
  readonly reason: string;
  readonly from_seq: number;
  readonly to_seq: number;
  readonly dropped: number | null;
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
  readonly #items = new StreamItems();
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

  /** Items not yet written, nor covered by a gap, nor taken out by a change: at least so many. */
  get owed(): number {
    this.sync();
    return this.#items.coming.filter((item) => !item.isExcused).length;
  }

  /** Items not yet written nor covered by a gap, those taken out by a change included: at most so many. */
  get waiting(): number {
    this.sync();
    return this.#items.unwritten.length;
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
    for (const item of this.#items.unwritten) {
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

  #advance(read: (place: number) => readonly Reading[]): void {
    for (const problem of this.#items.advance(read)) this.#fail(problem);
  }

  #event(frame: ReadFrame): void {
    const seq = frame.seq as number;
    this.#advance((place) => [this.#items.readEvent(seq, place, this.#acknowledged)]);
    this.#lastSeq = seq;
    this.delivered += 1;
    this.deliveredBytes += frame.bytes;
  }

  #gap(frame: ReadFrame): void {
    const { reason, from_seq: from, to_seq: to, dropped } = frame as unknown as ReadGap;
    const name = `the ${reason} gap ${from}..${to}`;
    if (dropped === null) this.hasUnknownGap = true;
    else this.dropped += dropped;
    if (dropped === 0) this.#fail(`${name} says that nothing is missing`);
    if (reason === "epoch") {
      if (this.#lives.length === 0) this.#fail(`${name} without a replay`);
      return;
    }
    if (from > to) this.#fail(`${name} is empty`);
    if (this.#replays === 0 && from <= this.#lastSeq) this.#fail(`${name} covers what was sent`);
    this.#advance((place) => {
      // One of unknown size may stand for nothing that was wanted.
      const none = { next: place, problems: dropped === null ? [] : [`${name} says ${dropped} and covers none`] };
      return [...this.#items.stretches(place, from, to).map((stretch) => this.#readGap(name, frame, stretch)), none];
    });
  }

  #readGap(name: string, frame: ReadFrame, { covered, next }: Stretch): Reading {
    const { reason, dropped } = frame as unknown as ReadGap;
    const problems: string[] = [];
    const least = covered.filter((item) => !item.isExcused).length;
    if (dropped !== null && (dropped < least || dropped > covered.length)) {
      problems.push(`${name} says ${dropped} and covers ${least} to ${covered.length}`);
    }
    const isGone = (item: Item): boolean => item.seq < this.#world.oldest();
    for (const item of covered) {
      if (item.isLossless && !item.isExcused && !isGone(item))
        problems.push(`${name} skips ${item.seq}, which the log has`);
      if (item.version > this.#acknowledged) problems.push(`${name} was sent before the reply to the subscription`);
    }
    if (reason !== "overflow") return { next, problems };
    const waiting = this.#items.length - next;
    if (!this.#policy.startsWith("drop-")) problems.push(`${name} under policy ${this.#policy}`);
    if (covered.some((item) => item.replay !== undefined)) problems.push(`${name} skips what a since asked for`);
    if (dropped === null && !covered.some(isGone)) problems.push(`${name} doesn't say how many`);
    if (this.#policy === "drop-oldest" && waiting < this.#maxMessages) {
      problems.push(`${name} skipped more than it had to: ${waiting} wait, ${this.#maxMessages} may`);
    }
    return { next, problems };
  }

  #promise(who: string, seq: number): void {
    this.#advance((place) => {
      const owed = this.#items.owedFrom(place).find((item) => item.seq <= seq);
      const problems = owed === undefined ? [] : [`${who} promises ${seq}, and event ${owed.seq} was not sent`];
      return [{ next: place, problems }];
    });
  }

  #live(frame: ReadFrame): void {
    const expected = this.#lives.shift();
    if (expected === undefined || expected.id !== frame.id) {
      this.#fail(`live ${String(frame.id)} where ${String(expected?.id)} was due`);
      return;
    }
    this.#advance((place) => {
      const owed = this.#items.owedFrom(place).find((item) => item.replay === expected.replay);
      const problems = owed === undefined ? [] : [`live ${expected.id} before event ${owed.seq} of its replay`];
      return [{ next: place, problems }];
    });
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
    for (const item of this.#items.coming) {
      if (item.version < expected.version) item.isOvertaken = true;
    }
  }

  /** Checks that nothing is owed any more. */
  finish(): void {
    this.sync();
    this.#advance((place) => {
      const problems = this.#items
        .owedFrom(place)
        .map(({ seq }) => `event ${seq} was never sent, and no gap stands for it`);
      return [{ next: place, problems }];
    });
    for (const { type, id } of this.#replies) this.#fail(`the reply ${type} ${id} was never sent`);
    for (const { id } of this.#lives) this.#fail(`the replay ${id} never went live`);
    if (this.isLagging) this.#fail("it was paused and never resumed");
  }
}
