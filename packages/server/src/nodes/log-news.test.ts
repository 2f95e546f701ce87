import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import type { EventRecord, LogStats } from "../log/event-log.js";
import { PackedRecord } from "../log/packed-event.js";
import { newsOf, ownRecords, type LogNews } from "./log-news.js";

const stats: LogStats = { events: 1, bytes: 1, commits: 1, lastCommitMs: 1, state: "open" };

const recordsOf = (count: number, bytes: number): EventRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    seq: index + 1,
    appendedAtMs: 7,
    eventId: `e-${index}`,
    eventType: "T",
    clusterId: index === 0 ? undefined : "c-1",
    fields: Buffer.alloc(bytes, index),
  }));

const carried = (news: LogNews): LogNews => deserialize(serialize(news)) as LogNews;

describe("the news of a commit", () => {
  it("bring what was committed to another process, as it was", () => {
    const records = recordsOf(3, 100);
    const packed = records.map((record) => PackedRecord.of(record));
    const taken = ownRecords(carried(newsOf(stats, packed)));
    expect(taken).toEqual(records);
    for (const { fields } of taken) expect(fields.buffer.byteLength).toBe(fields.length);
  });

  it.each([
    [63, 1, 63],
    [64, 1, 64],
    [65, 1, 0],
    [1, 16_383, 1],
    [1, 16_384, 1],
    [1, 16_385, 0],
    [2, 8192, 2],
    [2, 8193, 0],
  ])("hold %s records of %s bytes: %s", (count, bytes, held) => {
    expect(newsOf(stats, recordsOf(count, bytes)).newest).toHaveLength(held);
    expect(newsOf(stats, recordsOf(count, bytes)).stats).toBe(stats);
  });
});
