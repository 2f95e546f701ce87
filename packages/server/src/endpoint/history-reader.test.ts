import { describe, expect, it } from "vitest";
import { draftOf, draftsOf, logOptionsOf } from "../log/contract/log-under-test.js";
import { LogError } from "../log/event-log.js";
import type { EventLog, EventMatch, LogPage, ReadOptions } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { HistoryReader } from "./history-reader.js";
import type { HistoryQuery } from "./history-query.js";

const mib = 1024 * 1024;
const everything: EventMatch = { matches: () => true };

function memoryLog(maxEvents: number | null = null): EventLog {
  return createMemoryLog(logOptionsOf({ retention: { maxEvents, maxAgeMs: null, maxBytes: null } }));
}

function queryOf(log: EventLog, over: Partial<HistoryQuery> = {}): HistoryQuery {
  return { since: 0, until: log.head, limit: 1000, lost: undefined, ...over };
}

function textOf(json: Buffer): { next: number | null; gap?: unknown; events: { seq: number }[] } {
  return JSON.parse(json.toString()) as { next: number | null; gap?: unknown; events: { seq: number }[] };
}

/** A log that calls back before each read but the first. */
function between(log: EventLog, before: () => Promise<unknown>): EventLog {
  let reads = 0;
  return new Proxy(log, {
    get: (target, name) => {
      if (name !== "read") return Reflect.get(target, name, target) as unknown;
      return async (after: number, options: ReadOptions) => {
        if (reads > 0) await before();
        reads += 1;
        return target.read(after, options);
      };
    },
  });
}

describe("pages in memory", () => {
  it("however many are asked for at once, what is held stays bounded, and every page holds an event", async () => {
    const log = memoryLog();
    const large = Buffer.from(`"payload":"${"x".repeat(mib)}"`);
    for (let n = 0; n < 8; n += 1) await log.append([draftOf(n, { fields: large })]);
    const reader = new HistoryReader(log);
    const pages = await Promise.all(Array.from({ length: 200 }, () => reader.page(everything, queryOf(log))));
    const bound = 64 * mib + pages.length * large.length;
    expect(reader.heldBytes, "the first event of each page may come on top").toBeLessThanOrEqual(bound);
    for (const { json } of pages) expect(textOf(json).events.length).toBeGreaterThanOrEqual(1);
    const sizes = pages.map(({ json }) => textOf(json).events.length);
    expect(Math.max(...sizes), "of those asked for first").toBeGreaterThan(1);
    expect(Math.min(...sizes), "of those asked for when there was no room").toBe(1);
    for (const { release } of pages) release();
    expect(reader.heldBytes).toBe(0);
  });

  it("what a failed read had collected is given back", async () => {
    const log = memoryLog();
    await log.append(draftsOf(0, 5000));
    const reader = new HistoryReader(between(log, () => log.close()));
    const rare: EventMatch = { matches: (type) => type !== "" };
    await expect(reader.page(rare, queryOf(log, { limit: 6000 }))).rejects.toThrow("closed");
    expect(reader.heldBytes).toBe(0);
  });
});

describe("retention that moves while history is read", () => {
  it("ends a page before the hole, and the next page tells of it", async () => {
    const log = memoryLog(6000);
    await log.append(draftsOf(0, 6000));
    const reader = new HistoryReader(between(log, () => log.append(draftsOf(6000, 5000))));
    const query = queryOf(log, { limit: 6000 });
    const first = textOf((await reader.page(everything, query)).json);
    expect(first.events.at(-1)).toMatchObject({ seq: first.next });
    expect(first.gap).toBeUndefined();
    const second = textOf((await reader.page(everything, { ...query, since: first.next as number })).json);
    expect(second.gap).toEqual({
      type: "gap",
      reason: "retention",
      from_seq: (first.next as number) + 1,
      to_seq: (second.events[0]?.seq as number) - 1,
      dropped: null,
    });
  });

  it("puts a gap into a stream where events are missing", async () => {
    const log = memoryLog(6000);
    await log.append(draftsOf(0, 6000));
    let appended = 6000;
    const reader = new HistoryReader(
      between(log, async () => {
        await log.append(draftsOf(appended, 1500));
        appended += 1500;
      }),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of reader.lines(everything, queryOf(log, { limit: undefined }))) chunks.push(chunk);
    let expected = 1;
    let gaps = 0;
    for (const line of Buffer.concat(chunks).toString().trimEnd().split("\n")) {
      const frame = JSON.parse(line) as { type: string; seq: number; from_seq: number; to_seq: number };
      if (frame.type === "gap") {
        expect(frame.from_seq).toBe(expected);
        expected = frame.to_seq + 1;
        gaps += 1;
      } else {
        expect(frame.seq).toBe(expected);
        expected += 1;
      }
    }
    expect(expected).toBe(6001);
    expect(gaps).toBeGreaterThan(0);
  });
});

describe("what is damaged on the disk", () => {
  /** As an embedded log with a block of seqs 4 to 6 that fails its checksum. */
  function damaged(log: EventLog): EventLog {
    const seqs = { first: 4, last: 6 };
    const read = async (after: number, options: ReadOptions): Promise<LogPage> => {
      if (after >= seqs.last) return log.read(after, options);
      if (after + 1 < seqs.first) return log.read(after, { ...options, until: seqs.first - 1 });
      throw new LogError("LOG_DAMAGED", "fails its checksum", { seqs: { first: after + 1, last: seqs.last } });
    };
    return new Proxy(log, {
      get: (target, name) => (name === "read" ? read : (Reflect.get(target, name, target) as unknown)),
    });
  }

  it("is a gap, with what lies before and behind it", async () => {
    const log = memoryLog();
    await log.append(draftsOf(1, 9));
    const reader = new HistoryReader(damaged(log));
    const lines: unknown[] = [];
    for await (const line of reader.lines(everything, queryOf(log))) {
      for (const text of line.toString().trim().split("\n")) {
        const { seq, from_seq: from, to_seq: to } = JSON.parse(text) as Record<string, number>;
        lines.push(seq ?? [from, to]);
      }
    }
    expect(lines).toEqual([1, 2, 3, [4, 6], 7, 8, 9]);
    const before = textOf((await reader.page(everything, queryOf(log))).json);
    expect([before.events.map(({ seq }) => seq), before.next]).toEqual([[1, 2, 3], 3]);
    const within = textOf((await reader.page(everything, queryOf(log, { since: 4 }))).json);
    expect(within.gap).toMatchObject({ reason: "retention", from_seq: 5, to_seq: 6 });
    expect([within.events.map(({ seq }) => seq), within.next]).toEqual([[7, 8, 9], null]);
  });
});
