import { closes, type CloseEntry } from "@sluice/protocol";
import { allRights, type AuthOutcome, type Identity, type Rights } from "@sluice/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BackpressureHandler } from "../delivery/backpressure-handler.js";
import { Consumer } from "../delivery/consumer.js";
import { Delivery } from "../delivery/delivery.js";
import type { Sink } from "../delivery/sink.js";
import type { EventLog } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { SubscriptionManager } from "../routing/subscription-manager.js";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { ExpiryWatch } from "./expiry-watch.js";
import { HeartbeatManager } from "./heartbeat-manager.js";
import { Session, type SessionContext, type SessionOptions } from "./session.js";
import { PingFrames } from "./ping-frames.js";
import { SessionTally } from "./session-tally.js";

const hourMs = 3_600_000;
const tickMs = 50;
const heartbeatMs = { intervalMs: 30_000, timeoutMs: 10_000, maxMissed: 3 };

/** The transport of a client that takes everything, unless told to stop. */
class TestSink implements Sink {
  readonly frames: Record<string, unknown>[] = [];
  closed: CloseEntry | undefined;
  isBlocked = false;

  write(bytes: Buffer): boolean {
    for (let rest = bytes; rest.length > 0;) {
      const short = (rest[1] as number) & 0x7f;
      const start = short < 126 ? 2 : 4;
      const end = start + (short < 126 ? short : rest.readUInt16BE(2));
      this.frames.push(JSON.parse(rest.subarray(start, end).toString()) as Record<string, unknown>);
      rest = rest.subarray(end);
    }
    return !this.isBlocked;
  }

  close(entry: CloseEntry): void {
    this.closed = entry;
  }

  readonly holdsBytes = false;
  holdCommands(): void {}
}

let nowMs: number;
let timers: { readonly atMs: number; readonly run: () => void }[];
let log: EventLog;
let context: SessionContext;
let faults: unknown[];
let answer: (token: string) => Promise<AuthOutcome>;
const clock = { now: () => nowMs, wall: () => 1_800_000_000_000 + nowMs };

beforeEach(() => {
  nowMs = 1000;
  timers = [];
  faults = [];
  answer = async () => ({ ok: false, reason: "malformed", status: 401 });
  const retention = { maxEvents: null, maxAgeMs: null, maxBytes: null };
  log = createMemoryLog({ clock, retention, dedup: { windowMs: 1000, maxIds: 100 } });
  const subscriptions = new SubscriptionManager<Consumer>({ maxPerConnection: 3 });
  const backpressure = new BackpressureHandler({ highWatermark: 0.8, lowWatermark: 0.5 });
  const onError = (error: unknown): void => void faults.push(error);
  const tally = new SessionTally();
  context = {
    clock,
    log,
    subscriptions,
    delivery: new Delivery({
      log,
      clock,
      subscriptions,
      backpressure,
      maxMessages: 100,
      tailBytes: 1_000_000,
      onError,
    }),
    heartbeat: new HeartbeatManager({ ...heartbeatMs, clock, onMiss: () => (tally.heartbeatMisses += 1) }),
    pingFrames: new PingFrames(),
    expiry: new ExpiryWatch(clock, (run, ms) => timers.push({ atMs: nowMs + ms, run })),
    authenticator: { authenticate: (token) => answer(token), close: async () => {} },
    tally,
    greeting: {
      heartbeat: { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 },
      buffer: { max_messages: 100, high_watermark: 0.8, low_watermark: 0.5 },
    },
    heartbeatCloseCode: 1000,
    commandRate: { perSecond: 50, burst: 100 },
    onError,
  };
});
afterEach(async () => {
  context.delivery.stop();
  await log.close();
});

function identityOf(rights: Rights = allRights, expiresAtMs = clock.wall() + hourMs): Identity {
  return { userId: "alice", expiresAtMs, rights };
}

function open(identity = identityOf(), options?: SessionOptions): { session: Session; sink: TestSink } {
  const sink = new TestSink();
  const id = `connection-${context.delivery.consumers.size}`;
  const place = { policy: "drop-oldest", maxMessages: 50, position: 0, now: nowMs } as const;
  const consumer = new Consumer({ id, encoding: websocketEncoding, sink, ...place });
  return { session: new Session(context, consumer, identity, options), sink };
}

/** Sends a command; gives what was answered before anything else could happen. */
function say({ session, sink }: { session: Session; sink: TestSink }, command: unknown): Record<string, unknown>[] {
  const from = sink.frames.length;
  session.receive(typeof command === "string" ? command : JSON.stringify(command));
  return sink.frames.slice(from);
}

function pass(ms: number): void {
  for (const end = nowMs + ms; nowMs < end;) {
    nowMs += tickMs;
    context.heartbeat.tick();
    context.expiry.tick();
    const due = timers.filter(({ atMs }) => atMs <= nowMs);
    timers = timers.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of due) run();
  }
}

describe("Session", () => {
  it("greets with who it took the client for and how it will be treated", () => {
    const { sink } = open();
    expect(sink.frames).toEqual([
      {
        type: "connected",
        connection_id: "connection-0",
        user_id: "alice",
        protocol: "sluice.v1",
        server_time: new Date(clock.wall()).toISOString(),
        epoch: log.epoch,
        seq: 0,
        policy: "drop-oldest",
        heartbeat: { interval_ms: 30_000, timeout_ms: 10_000, max_missed: 3 },
        buffer: { max_messages: 50, high_watermark: 0.8, low_watermark: 0.5 },
      },
    ]);
  });

  it("counts commands and errors by kind", () => {
    const client = open();
    say(client, { type: "ping" });
    say(client, { type: "subscribe", events: ["A"] });
    say(client, "nonsense");
    say(client, { type: "subscribe", events: ["A", "B", "C", "D"] });
    expect(context.tally.commands).toMatchObject({ ping: 1, subscribe: 2 });
    expect(Object.fromEntries(context.tally.errors)).toEqual({ INVALID_MESSAGE: 1, SUBSCRIPTION_LIMIT: 1 });
  });

  it("answers a fault of ours with INTERNAL_ERROR, tells of it, and lives on", () => {
    const client = open();
    const fault = new Error("broken promise with a secret in it");
    context.subscriptions.plan = () => {
      throw fault;
    };
    expect(say(client, { type: "subscribe", events: ["A"] })).toEqual([
      { type: "error", code: "INTERNAL_ERROR", message: "the command could not be carried out" },
    ]);
    expect(faults).toEqual([fault]);
    expect(say(client, { type: "ping" })).toMatchObject([{ type: "pong" }]);
  });

  it("answers an authenticator's fault the same way", async () => {
    const client = open();
    answer = () => Promise.reject(new Error("broken"));
    say(client, { type: "refresh", id: "r", token: "t" });
    await new Promise(setImmediate);
    expect(client.sink.frames.at(-1)).toMatchObject({ type: "error", id: "r", code: "INTERNAL_ERROR" });
    expect(faults).toHaveLength(1);
  });

  it("hears nothing after it has been closed", () => {
    const client = open();
    context.delivery.close(client.session.consumer, closes.revoked);
    expect(say(client, { type: "ping" })).toEqual([]);
    expect(client.sink.closed).toEqual(closes.revoked);
  });
});

describe("the rate of commands", () => {
  it("is limited after a burst, and comes back with time", () => {
    const client = open();
    for (let n = 0; n < 100; n += 1) expect(say(client, { type: "ping" })).toMatchObject([{ type: "pong" }]);
    expect(say(client, { type: "ping" })).toMatchObject([{ type: "error", code: "RATE_LIMITED" }]);
    nowMs += 1000;
    for (let n = 0; n < 50; n += 1) expect(say(client, { type: "ping" })).toMatchObject([{ type: "pong" }]);
    expect(say(client, { type: "ping" })).toMatchObject([{ code: "RATE_LIMITED" }]);
  });

  it("ends the connection of a client that goes on after 100 refusals", () => {
    const client = open();
    for (let n = 0; n < 200; n += 1) say(client, { type: "ping" });
    expect(client.sink.closed).toBeUndefined();
    say(client, { type: "ping" });
    expect(client.sink.closed).toEqual(closes.policyViolation);
  });
});

describe("the heartbeat of a session", () => {
  it("closes whoever doesn't answer 70 s after the first ping, with the configured code", () => {
    context = { ...context, heartbeatCloseCode: 4000 };
    const { sink } = open();
    pass(101_000);
    expect(sink.frames.filter(({ type }) => type === "ping")).toHaveLength(3);
    expect(sink.closed).toEqual({ ...closes.heartbeatTimeout, code: 4000 });
    expect(context.tally).toMatchObject({ heartbeatMisses: 3, heartbeatTimeouts: 1 });
  });

  it("keeps whoever answers", () => {
    const client = open();
    for (let n = 0; n < 10; n += 1) {
      pass(30_000);
      say(client, { type: "pong" });
    }
    expect(client.sink.closed).toBeUndefined();
  });

  it("takes a ping that was written for answered where the transport has no way back", () => {
    const { sink } = open(identityOf(), { answersPings: false });
    pass(300_000);
    expect(sink.closed).toBeUndefined();
    const stuck = open(identityOf(), { answersPings: false });
    stuck.sink.isBlocked = true;
    pass(300_000);
    expect(stuck.sink.closed).toEqual(closes.heartbeatTimeout);
  });

  it("ends with the session", () => {
    const { session, sink } = open();
    session.end();
    pass(300_000);
    expect(sink.frames).toHaveLength(1);
    expect(context.heartbeat.getActiveConnections()).toEqual([]);
    expect(context.delivery.consumers.size).toBe(0);
  });
});

describe("the token of a session", () => {
  it("is announced a minute before its end, which closes with 4401", () => {
    const client = open(identityOf(allRights, clock.wall() + 80_000));
    pass(21_000);
    expect(client.sink.frames.at(-1)).toEqual({
      type: "token_expiring",
      expires_at: new Date(client.session.identity.expiresAtMs).toISOString(),
    });
    say(client, { type: "pong" });
    pass(60_000);
    expect(client.sink.closed).toEqual(closes.tokenExpired);
  });

  it("is replaced by a refresh: new expiry, new rights, what they don't allow ends", async () => {
    const client = open(identityOf(allRights, clock.wall() + 80_000));
    say(client, { type: "subscribe", events: ["A", "B"], clusters: ["c-1", "c-2"] });
    const rights: Rights = { events: ["A"], clusters: ["c-2"], publish: false, admin: false };
    const identity = identityOf(rights, clock.wall() + hourMs);
    answer = async () => ({ ok: true, identity });
    const from = client.sink.frames.length;
    say(client, { type: "refresh", id: "r", token: "t" });
    await new Promise(setImmediate);
    expect(client.sink.frames.slice(from)).toEqual([
      { type: "refreshed", id: "r", expires_at: new Date(identity.expiresAtMs).toISOString() },
      { type: "unsubscribed", events: ["A"], clusters: ["c-1"], reason: "forbidden" },
      { type: "unsubscribed", events: ["B"], reason: "forbidden" },
    ]);
    expect(client.session.identity).toBe(identity);
    for (let n = 0; n < 10; n += 1) {
      pass(20_000);
      say(client, { type: "pong" });
    }
    expect(client.sink.closed).toBeUndefined();
    expect(say(client, { type: "subscribe", events: ["B"] })).toMatchObject([{ code: "FORBIDDEN" }]);
  });

  it("stays in force when a refresh is refused, and the client is told whether to try again", async () => {
    const client = open();
    const refusals: readonly [AuthOutcome, string][] = [
      [{ ok: false, reason: "expired", status: 401 }, "the token was refused (expired); the old one stays in force"],
      [
        { ok: false, reason: "issuer_unavailable", status: 503 },
        "the token was refused (issuer_unavailable); it can not be checked at the moment, try again; the old one stays in force",
      ],
      [
        { ok: true, identity: { ...identityOf(), userId: "mallory" } },
        "the token is another user's; the old one stays in force",
      ],
    ];
    for (const [outcome, message] of refusals) {
      answer = async () => outcome;
      say(client, { type: "refresh", token: "t" });
      await new Promise(setImmediate);
      expect(client.sink.frames.at(-1)).toEqual({ type: "error", code: "AUTH_FAILED", message });
    }
    expect(client.session.identity.userId).toBe("alice");
  });

  it("isn't replaced when the connection has gone before the answer is there", async () => {
    const client = open();
    answer = async () => ({ ok: true, identity: identityOf() });
    say(client, { type: "refresh", token: "t" });
    client.session.end();
    await new Promise(setImmediate);
    expect(client.sink.frames).toHaveLength(1);
  });
});
