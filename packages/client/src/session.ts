// What is said on a connection about subscriptions, and what comes of it: the server is asked for what all feeds want
// together, and each event goes to those that want it.
//
// A new connection goes on where the last one ended, with `since`, where one command can say it all, since replays of
// several commands come one after the other and not in order of seq. Otherwise it is live from the start, and each feed
// fetches what lies between from the log; so does a feed that joins later, or that begins in the past.
import type { ConnectedFrame, ErrorFrame, LagFrame, SubscribedFrame, UnsubscribedFrame } from "@sluice/protocol";
import type { OutgoingCommand } from "./connection.js";
import type { Environment } from "./environment.js";
import type { Gap, ServerMessage, SluiceEvent } from "./event.js";
import type { Feed } from "./feed.js";
import { changeInterest, type Interest, mergeInterests, wants, type WireInterest } from "./interest.js";
import { SluiceError } from "./sluice-error.js";
import type { Tally } from "./status.js";

export interface SessionPorts {
  readonly send: (command: OutgoingCommand) => void;
  readonly environment: Environment;
  readonly tally: Tally;
  readonly onChange: () => void;
}

interface Asked extends Interest {
  /** It asked for a replay from where the last connection ended. */
  readonly isResuming: boolean;
}

/** Wait before commands are sent again that the server had no time for, ms. */
const rateLimitedMs = 1_000;

export class Session {
  readonly feeds = new Set<Feed>();
  readonly #ports: SessionPorts;
  #isOpen = false;
  #epoch = "";
  /** Everything up to here has come, of all that was asked for when it was published. */
  #position: { readonly epoch: string; seq: number } | undefined;
  #wire: WireInterest = new Map();
  /** Where the live events of a pattern began. */
  readonly #live = new Map<string, number>();
  readonly #asked = new Map<string, Asked>();
  /** Something is subscribed to on this connection; before that a position in a ping means nothing. */
  #isConfirmed = false;
  #isResuming = false;
  #replayId: string | undefined;
  #lag: LagFrame | undefined;
  #commands = 0;

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  /** What the server holds back for us; undefined when it doesn't. */
  get lag(): LagFrame | undefined {
    return this.#lag;
  }

  /** Whether events of the past are on their way to anyone, or subscriptions are not confirmed yet. */
  get isCatchingUp(): boolean {
    if (this.#replayId !== undefined) return true;
    for (const feed of this.feeds) if (!feed.isAttached || feed.inbox.isBehind) return true;
    return false;
  }

  add(feed: Feed): void {
    this.feeds.add(feed);
    this.sync();
  }

  remove(feed: Feed): void {
    if (this.feeds.delete(feed)) this.sync();
  }

  /** A new connection. */
  begin({ epoch }: ConnectedFrame): void {
    this.#isOpen = true;
    this.#epoch = epoch;
    const wanted = mergeInterests(this.#interests());
    const { subscribe } = changeInterest(new Map(), wanted);
    const known = [...this.feeds].filter((feed) => feed.isKnown);
    const at = this.#position?.epoch === epoch ? this.#position.seq : undefined;
    this.#isResuming = subscribe.length === 1 && known.length > 0 && known.every((feed) => feed.completeTo === at);
    this.sync();
  }

  /** The connection has gone. */
  end(): void {
    this.#isOpen = false;
    this.#isConfirmed = false;
    this.#wire = new Map();
    this.#live.clear();
    this.#asked.clear();
    this.#replayId = undefined;
    this.#lag = undefined;
    for (const feed of this.feeds) feed.detach(this.#position?.seq ?? 0);
  }

  /** Asks the server for what the feeds want now. */
  sync(): void {
    if (!this.#isOpen) return;
    const wanted = mergeInterests(this.#interests());
    const isFirst = this.#wire.size === 0 && this.#asked.size === 0;
    const { subscribe, unsubscribe } = changeInterest(this.#wire, wanted);
    this.#wire = wanted;
    if (unsubscribe.length > 0) {
      for (const pattern of unsubscribe) this.#live.delete(pattern);
      this.#ports.send({ type: "unsubscribe", events: unsubscribe });
    }
    for (const interest of subscribe) this.#ask(interest, isFirst && this.#isResuming);
    this.#attach(false);
  }

  #interests(): Interest[] {
    return [...this.feeds].map(({ interest }) => interest);
  }

  #ask({ events, clusters }: Interest, isResuming: boolean): void {
    this.#commands += 1;
    const id = `s${this.#commands}`;
    this.#asked.set(id, { events, clusters, isResuming });
    if (isResuming) this.#replayId = id;
    this.#sendAsked(id);
  }

  #sendAsked(id: string): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    const { events, clusters, isResuming } = asked;
    const since = isResuming && this.#position !== undefined ? { since: this.#position.seq, epoch: this.#epoch } : {};
    this.#ports.send({ type: "subscribe", id, events, clusters, ...since });
  }

  receive(message: ServerMessage, size: number): void {
    this.#ports.tally.received += size;
    switch (message.type) {
      case "event":
        this.#event(message, size);
        return;
      case "ping":
        this.#advance(message.seq);
        for (const feed of this.feeds) feed.settle(message.seq);
        return;
      case "subscribed":
        this.#subscribed(message);
        break;
      case "live":
        this.#advance(message.seq);
        if (message.id === this.#replayId) this.#replayId = undefined;
        for (const feed of this.feeds) feed.settle(message.seq);
        break;
      case "gap":
        if (message.reason === "epoch") this.#position = { epoch: this.#epoch, seq: message.to_seq };
        else this.#advance(message.to_seq);
        this.#offer(message, size);
        break;
      case "lag":
        this.#lag = message.state === "resumed" ? undefined : message;
        break;
      case "error":
        this.#refused(message);
        break;
      case "unsubscribed":
        this.#lost(message);
        break;
      default:
        return;
    }
    this.#ports.onChange();
  }

  #advance(seq: number): void {
    if (this.#isConfirmed && this.#position !== undefined && seq > this.#position.seq) this.#position.seq = seq;
  }

  #event(event: SluiceEvent, size: number): void {
    this.#ports.tally.events += 1;
    if (this.#position !== undefined && event.seq <= this.#position.seq) {
      this.#ports.tally.repeats += 1;
      return;
    }
    this.#advance(event.seq);
    this.#offer(event, size);
  }

  #offer(item: SluiceEvent | Gap, size: number): void {
    for (const feed of this.feeds) {
      if (!feed.isAttached || (item.type === "event" && !wants(feed.interest, item))) continue;
      if (feed.offer(item, size)) this.#ports.tally.overflows += 1;
    }
  }

  #subscribed({ id = "", seq }: SubscribedFrame): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#asked.delete(id);
    for (const pattern of asked.events) this.#live.set(pattern, seq);
    // Without a replay nothing comes that is older than the first confirmation.
    if (!this.#isConfirmed && !asked.isResuming) this.#position = { epoch: this.#epoch, seq };
    this.#isConfirmed = true;
    this.#attach(asked.isResuming);
  }

  /** Feeds whose patterns are all confirmed get live events from now on. */
  #attach(isResumed: boolean): void {
    const open = new Set([...this.#asked.values()].flatMap(({ events }) => events));
    for (const feed of this.feeds) {
      const { events } = feed.interest;
      if (feed.isAttached || !events.every((pattern) => this.#live.has(pattern) && !open.has(pattern))) continue;
      const live = Math.max(...events.map((pattern) => this.#live.get(pattern) ?? 0), this.#position?.seq ?? 0);
      feed.attach(this.#epoch, live, isResumed);
    }
  }

  /** A command was refused: whose fault it is shows when its patterns are asked for one by one. */
  #refused({ id, code, message }: ErrorFrame): void {
    if (code === "RATE_LIMITED") {
      const again = [...this.#asked.keys()];
      this.#ports.environment.after(rateLimitedMs, () => {
        for (const askedId of again) this.#sendAsked(askedId);
      });
      return;
    }
    const asked = this.#asked.get(id ?? "");
    if (asked === undefined) return;
    this.#asked.delete(id ?? "");
    if (asked.isResuming) {
      this.#isResuming = false;
      this.#replayId = undefined;
    }
    const [pattern = "", ...others] = asked.events;
    if (others.length > 0) {
      for (const event of asked.events) this.#ask({ events: [event], clusters: asked.clusters }, false);
      return;
    }
    this.#forget([pattern]);
    // The newest is to blame: without it the others were fine, or the next round finds the next.
    const feed = [...this.feeds].findLast(({ interest }) => interest.events.includes(pattern));
    feed?.close(new SluiceError(code, message));
  }

  /** The token's rights have shrunk under us. */
  #lost({ events, clusters, reason }: UnsubscribedFrame): void {
    if (reason === undefined) return;
    this.#forget(events);
    for (const feed of [...this.feeds]) {
      const { interest } = feed;
      if (!interest.events.some((pattern) => events.includes(pattern))) continue;
      if (clusters !== undefined && !interest.clusters.some((cluster) => clusters.includes(cluster))) continue;
      feed.close(new SluiceError("FORBIDDEN", `the token no longer allows ${events.join(", ")}`));
    }
    this.sync();
  }

  #forget(patterns: readonly string[]): void {
    this.#wire = new Map([...this.#wire].filter(([pattern]) => !patterns.includes(pattern)));
    for (const pattern of patterns) this.#live.delete(pattern);
  }
}
