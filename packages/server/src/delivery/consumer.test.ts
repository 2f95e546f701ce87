import type { ServerFrame } from "@sluice/protocol";
import { describe, expect, it } from "vitest";
import { Lane } from "../routing/lane.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { setOf } from "./contract/delivery-world.js";
import { readFrames, RecordingSink } from "./contract/recording-sink.js";
import { burdenMax, Consumer, repliesMax } from "./consumer.js";

function consumerOf(policy: "drop-oldest" | "replay" = "drop-oldest"): { consumer: Consumer; sink: RecordingSink } {
  const sink = new RecordingSink();
  const options = { id: "1", encoding: websocketEncoding, sink, policy, maxMessages: 10, position: 0, now: 0 };
  return { consumer: new Consumer(options), sink };
}

const replyOf = (id: string): Buffer => {
  return websocketEncoding.encodeFrame({ type: "error", id, code: "RATE_LIMITED", message: "" });
};

const pingOf = (seq: number): ServerFrame => ({ type: "ping", timestamp: "", seq });

/** What is due, by type or by the id of the reply. */
function due(consumer: Consumer): unknown[] {
  const out: Buffer[] = [];
  consumer.takeDue(out);
  return out.flatMap((bytes) => readFrames(bytes)).map((frame) => frame.id ?? frame.seq ?? frame.type);
}

/** Has `count` events wait, for the place of replies. */
function wait(consumer: Consumer, count: number): void {
  const lane = new Lane<Consumer>(SubscriptionSet.empty, websocketEncoding);
  consumer.buffer.join(lane, 0);
  consumer.lane = lane;
  consumer.isLevel = false;
  lane.totals.events += count;
  for (let seq = 1; seq <= count; seq += 1) lane.window.push(seq);
}

describe("replies", () => {
  it("are due in their order, each when what waited before it has been passed", () => {
    const { consumer } = consumerOf();
    consumer.queueReply(replyOf("at once"));
    wait(consumer, 2);
    consumer.queueReply(replyOf("behind two"));
    consumer.queueReply(replyOf("and this"));
    expect(consumer.eventsToReply).toBe(0);
    expect(due(consumer)).toEqual(["at once"]);
    expect(consumer.eventsToReply).toBe(2);
    consumer.buffer.passEvent(1);
    expect(due(consumer)).toEqual([]);
    consumer.buffer.passEvent(2);
    expect(due(consumer)).toEqual(["behind two", "and this"]);
    expect([consumer.hasReplies, consumer.eventsToReply]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  it("go first where what waits may take for ever: a replay, and policy replay while paused", () => {
    const { consumer } = consumerOf();
    wait(consumer, 2);
    consumer.buffer.catchingUp = true;
    consumer.queueReply(replyOf("first"));
    expect(due(consumer)).toEqual(["first"]);

    const { consumer: other } = consumerOf("replay");
    wait(other, 2);
    other.queueReply(replyOf("behind"));
    expect(due(other)).toEqual([]);
    other.isPaused = true;
    other.queueReply(replyOf("first, but for the one before"));
    expect(due(other)).toEqual([]);
    other.buffer.passEvent(1);
    other.buffer.passEvent(2);
    expect(due(other)).toEqual(["behind", "first, but for the one before"]);
  });

  it("stop the reading of commands when 64 wait, until 32 do", () => {
    const { consumer, sink } = consumerOf();
    wait(consumer, 1);
    for (let reply = 1; reply < repliesMax; reply += 1) consumer.queueReply(replyOf(`${reply}`));
    expect(sink.isHeld).toBe(false);
    consumer.queueReply(replyOf("64"));
    expect(sink.isHeld).toBe(true);
    consumer.queueReply(replyOf("65"));
    due(consumer);
    expect(sink.isHeld, "nothing was due").toBe(true);
    consumer.buffer.passEvent(1);
    due(consumer);
    expect([sink.isHeld, sink.misuses]).toEqual([false, []]);
  });

  it("stop it too when changes of subscriptions have left much to remember", () => {
    const { consumer, sink } = consumerOf();
    wait(consumer, 1);
    consumer.buffer.setAside(consumer.lane as Lane<Consumer>);
    const change = (from: number, to: number): void => {
      for (let n = from; n <= to; n += 1) {
        consumer.buffer.narrow(setOf({ [`E${n}`]: null }));
        consumer.queueReply(replyOf(`${n}`));
        consumer.buffer.passed += 1;
        due(consumer);
      }
    };
    change(2, burdenMax - 1);
    expect([consumer.buffer.burden, sink.isHeld]).toEqual([burdenMax - 1, false]);
    change(burdenMax, burdenMax);
    expect([consumer.buffer.burden, sink.isHeld, consumer.hasReplies]).toEqual([burdenMax, true, false]);
    consumer.buffer.passEvent(1);
    due(consumer);
    expect([consumer.buffer.burden, sink.isHeld]).toEqual([0, false]);
  });
});

describe("what goes first", () => {
  it("is notices, then the newest heartbeat with what is true of it then, then replies", () => {
    const { consumer } = consumerOf();
    consumer.queueReply(replyOf("reply"));
    let position = 1;
    consumer.pingDue = () => pingOf(999);
    consumer.pingDue = () => pingOf(position);
    consumer.queueNotice({ type: "lag", state: "paused", pending: 1, lag_ms: 1 });
    expect(consumer.hasReplies).toBe(true);
    position = 7;
    expect(due(consumer)).toEqual(["lag", 7, "reply"]);
    expect([consumer.hasReplies, due(consumer)]).toEqual([false, []]);
  });
});

describe("the account", () => {
  it("adds a level member's share of its lane to what was sent to it alone", () => {
    const { consumer } = consumerOf();
    const lane = new Lane<Consumer>(SubscriptionSet.empty, websocketEncoding);
    Object.assign(lane.totals, { events: 100, bytes: 1000, timed: 90, latencySumMs: 5000, writtenAtMs: 1 });
    consumer.lane = lane;
    lane.addLevel(consumer);
    consumer.openAccount();
    expect(consumer.account).toEqual({ sent: 0, bytes: 0, averageLatencyMs: 0, lastSendAtMs: 0 });
    Object.assign(lane.totals, { events: 102, bytes: 1020, timed: 92, latencySumMs: 5006, writtenAtMs: 9 });
    consumer.laneCursor = lane.end;
    expect(consumer.account).toEqual({ sent: 2, bytes: 20, averageLatencyMs: 3, lastSendAtMs: 9 });
    consumer.countSent(2, 30, 12);
    consumer.countLatency(6);
    expect(consumer.account).toEqual({ sent: 4, bytes: 50, averageLatencyMs: 4, lastSendAtMs: 12 });
    expect(consumer.buffer.passed, "what was sent with the lane").toBe(2);
  });

  it("leaves out what the lane sends while the consumer is behind", () => {
    const { consumer } = consumerOf();
    wait(consumer, 3);
    expect(consumer.account.sent).toBe(0);
    expect([consumer.pending, consumer.dropped]).toEqual([3, 0]);
  });
});
