import { describe, expect, it } from "vitest";
import {
  configFor,
  haveLimitsChanged,
  limitsFor,
  misfitsOf,
  type StreamConfig,
  type StreamWish,
} from "./stream-config.js";

const wish: StreamWish = {
  name: "LOG",
  prefix: "sluice",
  replicas: 3,
  storage: "file",
  retention: { maxEvents: 10, maxAgeMs: 60_000, maxBytes: null },
  duplicateWindowMs: 120_000,
};
const good = configFor(wish, "a log");

describe("the limits of a stream", () => {
  it("are those of the settings, in JetStream's units; its window is not longer than its age", () => {
    expect(limitsFor(wish)).toEqual({ max_msgs: 10, max_bytes: -1, max_age: 6e10, duplicate_window: 6e10 });
    const retention = { maxEvents: null, maxAgeMs: null, maxBytes: 5 };
    expect(limitsFor({ ...wish, retention })).toEqual({
      max_msgs: -1,
      max_bytes: 5,
      max_age: 0,
      duplicate_window: 12e10,
    });
  });

  it("have changed when one of them has", () => {
    expect(haveLimitsChanged(good, wish)).toBe(false);
    expect(haveLimitsChanged({ ...good, max_msgs: 11 }, wish)).toBe(true);
    expect(haveLimitsChanged({ ...good, max_age: 6e10 + 1 }, wish)).toBe(true);
  });
});

describe("a stream that does not fit", () => {
  it.each<[string, Partial<StreamConfig>, RegExp]>([
    ["other subjects", { subjects: ["other.>"] }, /subjects are other\.> .* sluice\.events\.>/],
    ["more subjects", { subjects: ["sluice.events.>", "more"] }, /subjects are/],
    ["a work queue", { retention: "workqueue" }, /retention is workqueue/],
    ["refusing when full", { discard: "new" }, /discard old/],
    ["memory", { storage: "memory" }, /nats\.storage is file/],
    ["too few replicas", { num_replicas: 1 }, /1 replicas, and nats\.replicas is 3/],
    ["a limit per subject", { max_msgs_per_subject: 1 }, /holes/],
    ["a limit per message", { max_msg_size: 100 }, /max_payload/],
    ["no acknowledgements", { no_ack: true }, /no_ack/],
    ["a seal", { sealed: true }, /sealed/],
    ["a mirror", { mirror: { name: "x" } }, /mirror/],
  ])("has %s", (_, over, words) => {
    expect(misfitsOf({ ...good, ...over }, wish)).toEqual([expect.stringMatching(words)]);
  });

  it("is none with more replicas than asked for", () => {
    expect(misfitsOf({ ...good, num_replicas: 5 }, wish)).toEqual([]);
  });
});
