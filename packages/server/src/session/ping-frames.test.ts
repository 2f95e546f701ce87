import { expect, it } from "vitest";
import { PingFrames } from "./ping-frames.js";

const wallMs = Date.UTC(2026, 0, 31, 12);

it("makes one frame for all pings of a millisecond and seq, and another when either has changed", () => {
  const frames = new PingFrames();
  const first = frames.frameFor(wallMs + 0.25, 7);
  expect(first).toEqual({ type: "ping", timestamp: "2026-01-31T12:00:00.000Z", seq: 7 });
  expect(frames.frameFor(wallMs + 0.75, 7)).toBe(first);
  expect(frames.frameFor(wallMs + 1, 7)).toEqual({ type: "ping", timestamp: "2026-01-31T12:00:00.001Z", seq: 7 });
  expect(frames.frameFor(wallMs + 1, 8)).toEqual({ type: "ping", timestamp: "2026-01-31T12:00:00.001Z", seq: 8 });
  // As after the wall clock was set back.
  expect(frames.frameFor(wallMs, 8)).toEqual({ type: "ping", timestamp: "2026-01-31T12:00:00.000Z", seq: 8 });
});
