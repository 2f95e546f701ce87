// What is said on a connection about subscriptions, and what comes of it: the server is asked for what all feeds want
// together, and each event goes to those that want it.
//
// A new connection goes on where the last one ended, with `since`, where one command can say it all, since replays of
// several commands come one after the other and not in order of seq. Otherwise it is live from the start, and each feed
// fetches what lies between from the log; so does a feed that joins later, or that begins in the past.
import type { ErrorFrame, LagFrame, SubscribedFrame, UnsubscribedFrame } from "@sluice/protocol";
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

export interface Session {
  readonly feeds: ReadonlySet<Feed>;
  /** What the server holds back for us; undefined when it doesn't. */
  readonly lag: LagFrame | undefined;
  /** Whether events of the past are on their way to anyone, or subscriptions are not confirmed yet. */
  readonly isCatchingUp: boolean;
  add(feed: Feed): void;
  remove(feed: Feed): void;
  /** The connection has gone. */
  end(): void;
  receive(message: ServerMessage, size: number): void;
}

export function createSession({ send, environment, tally, onChange }: SessionPorts): Session {
  const feeds = new Set<Feed>();
  /** Where the live events of a pattern began. */
  const live = new Map<string, number>();
  const asked = new Map<string, Asked>();
  let wire: WireInterest = new Map();
  let isOpen = false;
  let epoch = "";
  /** Everything up to here has come, of all that was asked for when it was published. */
  let position = { epoch: "", seq: 0 };
  /** Something is subscribed to on this connection; before that a position in a ping means nothing. */
  let isConfirmed = false;
  let replayId: string | undefined;
  let lag: LagFrame | undefined;
  let commands = 0;

  const sendAsked = (id: string): void => {
    const command = asked.get(id);
    if (command === undefined) return;
    const { events, clusters, isResuming } = command;
    const since = isResuming ? { since: position.seq, epoch } : {};
    send({ type: "subscribe", id, events, clusters, ...since });
  };

  const ask = ({ events, clusters }: Interest, isResuming: boolean): void => {
    commands += 1;
    const id = `s${commands}`;
    asked.set(id, { events, clusters, isResuming });
    if (isResuming) replayId = id;
    sendAsked(id);
  };

  /** Feeds whose patterns are all confirmed get live events from now on. */
  const attach = (isResumed: boolean): void => {
    const open = new Set([...asked.values()].flatMap(({ events }) => events));
    for (const feed of feeds) {
      const { events } = feed.interest;
      if (feed.isAttached || !events.every((pattern) => live.has(pattern) && !open.has(pattern))) continue;
      feed.attach(epoch, Math.max(position.seq, ...events.map((pattern) => live.get(pattern) as number)), isResumed);
    }
  };

  /** Asks the server for what the feeds want now. */
  const sync = (isNew = false): void => {
    if (!isOpen) return;
    const wanted = mergeInterests([...feeds].map(({ interest }) => interest));
    const { subscribe, unsubscribe } = changeInterest(wire, wanted);
    wire = wanted;
    if (unsubscribe.length > 0) {
      for (const pattern of unsubscribe) live.delete(pattern);
      send({ type: "unsubscribe", events: unsubscribe });
    }
    const known = [...feeds].filter((feed) => feed.completeTo !== undefined);
    const at = position.epoch === epoch ? position.seq : undefined;
    const isResuming =
      isNew && subscribe.length === 1 && known.length > 0 && known.every((feed) => feed.completeTo === at);
    for (const interest of subscribe) ask(interest, isResuming);
    attach(false);
  };

  const advance = (seq: number): void => {
    if (isConfirmed) position.seq = Math.max(position.seq, seq);
  };

  /** Everything up to `seq` has come. */
  const settle = (seq: number): void => {
    advance(seq);
    for (const feed of feeds) feed.settle(seq);
  };

  const offer = (item: SluiceEvent | Gap, size: number): void => {
    for (const feed of feeds) {
      if (!feed.isAttached || (item.type === "event" && !wants(feed.interest, item))) continue;
      if (feed.offer(item, size)) tally.overflows += 1;
    }
  };

  const subscribed = ({ id = "", seq }: SubscribedFrame): void => {
    const command = asked.get(id);
    if (command === undefined) return;
    asked.delete(id);
    for (const pattern of command.events) live.set(pattern, seq);
    // Without a replay nothing comes that is older than the first confirmation.
    if (!isConfirmed && !command.isResuming) position = { epoch, seq };
    isConfirmed = true;
    attach(command.isResuming);
  };

  const forget = (patterns: readonly string[]): void => {
    wire = new Map([...wire].filter(([pattern]) => !patterns.includes(pattern)));
    for (const pattern of patterns) live.delete(pattern);
  };

  /** A command was refused: whose fault it is shows when its patterns are asked for one by one. */
  const refused = ({ id = "", code, message }: ErrorFrame): void => {
    if (code === "RATE_LIMITED") {
      environment.after(rateLimitedMs, () => [...asked.keys()].forEach(sendAsked));
      return;
    }
    const command = asked.get(id);
    if (command === undefined) return;
    asked.delete(id);
    if (command.isResuming) replayId = undefined;
    const { events, clusters } = command;
    if (events.length > 1) {
      for (const event of events) ask({ events: [event], clusters }, false);
      return;
    }
    forget(events);
    // The newest is to blame: without it the others were fine, or the next round finds the next.
    const feed = [...feeds].findLast(({ interest }) => interest.events.includes(events[0] as string));
    feed?.close(new SluiceError(code, message));
  };

  /** The token's rights have shrunk under us: what is left of a feed goes on. */
  const lost = ({ events, clusters, reason }: UnsubscribedFrame): void => {
    if (reason === undefined) return;
    const { seq } = position;
    const gap: Gap = { type: "gap", reason: "forbidden", from_seq: seq, to_seq: seq, dropped: null, events, clusters };
    const [kind, taken] = clusters === undefined ? (["events", events] as const) : (["clusters", clusters] as const);
    // What is left of it on the wire is asked for once more, which changes nothing there.
    forget(events);
    for (const feed of [...feeds]) {
      const { interest } = feed;
      const left = interest[kind].filter((name) => !taken.includes(name));
      const isHit = feed.isAttached && interest.events.some((name) => events.includes(name));
      if (!isHit || left.length === interest[kind].length) continue;
      if (left.length > 0) feed.shrink({ ...interest, [kind]: left }, gap);
      else feed.close(new SluiceError("FORBIDDEN", `the token no longer allows ${taken.join(", ")}`));
    }
    sync();
  };

  return {
    feeds,
    get lag() {
      return lag;
    },
    get isCatchingUp() {
      return replayId !== undefined || [...feeds].some((feed) => !feed.isAttached || feed.inbox.isBehind);
    },
    add(feed) {
      feeds.add(feed);
      sync();
    },
    remove(feed) {
      if (feeds.delete(feed)) sync();
    },
    end() {
      isOpen = false;
      isConfirmed = false;
      wire = new Map();
      live.clear();
      asked.clear();
      replayId = undefined;
      lag = undefined;
      for (const feed of feeds) feed.detach(position.seq);
    },
    receive(message, size) {
      tally.received += size;
      switch (message.type) {
        case "connected":
          tally.connections += 1;
          isOpen = true;
          ({ epoch } = message);
          sync(true);
          break;
        case "event":
          tally.events += 1;
          if (message.seq <= position.seq) tally.repeats += 1;
          else {
            advance(message.seq);
            offer(message, size);
          }
          return;
        case "ping":
          return settle(message.seq);
        case "subscribed":
          subscribed(message);
          break;
        case "live":
          if (message.id === replayId) replayId = undefined;
          settle(message.seq);
          break;
        case "gap":
          if (message.reason === "epoch") position = { epoch, seq: message.to_seq };
          else advance(message.to_seq);
          offer(message, size);
          break;
        case "lag":
          lag = message.state === "resumed" ? undefined : message;
          break;
        case "error":
          refused(message);
          break;
        case "unsubscribed":
          lost(message);
          break;
        default:
          return;
      }
      onChange();
    },
  };
}
