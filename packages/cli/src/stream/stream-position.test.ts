import { describe, expect, it } from "vitest";
import type { EventMessage, ServerMessage } from "./server-message.js";
import { type ResumePoint, StreamPosition } from "./stream-position.js";

const connected = (epoch: string, seq: number): ServerMessage =>
  ({ type: "connected", epoch, seq, heartbeat: { interval_ms: 1, timeout_ms: 1, max_missed: 3 } }) as ServerMessage;
const subscribed = (seq: number): ServerMessage => ({ type: "subscribed", events: ["*"], clusters: [], seq });
const event = (seq: number): EventMessage => ({
  type: "event",
  seq,
  event_id: String(seq),
  event_type: "A",
  timestamp: "2026-01-31T12:00:00.000Z",
  payload: null,
});

function after(messages: readonly ServerMessage[], start?: ResumePoint): ResumePoint | undefined {
  const position = new StreamPosition(start);
  for (const message of messages) position.note(message);
  return position.resumePoint;
}

describe("StreamPosition", () => {
  it("asks for nothing before the first subscription of a live stream", () => {
    expect(after([])).toBeUndefined();
    expect(after([connected("e", 10)])).toBeUndefined();
  });

  it("goes on from where a live subscription began, though no event came", () => {
    expect(after([connected("e", 10), subscribed(12)])).toEqual({ since: 12, epoch: "e" });
  });

  it("goes on behind the last event", () => {
    expect(after([connected("e", 10), subscribed(10), event(11), event(15)])).toEqual({ since: 15, epoch: "e" });
  });

  it("counts a heartbeat's promise and the end of a replay", () => {
    const ping: ServerMessage = { type: "ping", timestamp: "", seq: 40 };
    const live: ServerMessage = { type: "live", seq: 50 };
    expect(after([connected("e", 10), subscribed(10), ping])).toEqual({ since: 40, epoch: "e" });
    expect(after([connected("e", 10), subscribed(10), ping, live, event(45)])).toEqual({ since: 50, epoch: "e" });
  });

  it("does not take the live end for received while a replay runs", () => {
    expect(after([connected("e", 90), subscribed(90), event(6)], { since: 5, epoch: "e" })).toEqual({
      since: 6,
      epoch: "e",
    });
    expect(after([connected("e", 90), subscribed(90)], { since: 5 })).toEqual({ since: 5, epoch: "e" });
  });

  it("passes over what a gap told of", () => {
    const gap: ServerMessage = { type: "gap", reason: "overflow", from_seq: 11, to_seq: 30, dropped: 20 };
    expect(after([connected("e", 10), subscribed(10), gap])).toEqual({ since: 30, epoch: "e" });
  });

  it("counts anew in another log", () => {
    const position = new StreamPosition({ since: 500, epoch: "old" });
    expect(position.note(connected("new", 7))).toBe(true);
    expect(position.resumePoint).toEqual({ since: 500, epoch: "old" });
    position.note(subscribed(7));
    expect(position.resumePoint).toEqual({ since: 0, epoch: "new" });
    position.note({ type: "gap", reason: "epoch", from_seq: 0, to_seq: 2, dropped: null });
    position.note(event(3));
    expect(position.resumePoint).toEqual({ since: 3, epoch: "new" });
  });

  it("takes a gap of the epoch as it is, also backwards", () => {
    const gap: ServerMessage = { type: "gap", reason: "epoch", from_seq: 0, to_seq: 3, dropped: null };
    expect(after([connected("e", 7), subscribed(7), gap], { since: 500 })).toEqual({ since: 3, epoch: "e" });
  });

  it("knows the same log again", () => {
    expect(new StreamPosition({ since: 5, epoch: "e" }).note(connected("e", 7))).toBe(false);
    expect(new StreamPosition({ since: 5 }).note(connected("e", 7))).toBe(false);
  });
});
