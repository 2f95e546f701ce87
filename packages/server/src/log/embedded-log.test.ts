import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { makeLogDirectory, openLogIn } from "./contract/log-directory.js";
import { draftOf, draftsOf, ManualClock, comparable, range, readAll, seqsOf } from "./contract/log-under-test.js";
import { openEmbeddedLog } from "./embedded-log.js";
import { describeEventLog } from "./event-log-contract.js";
import type { RetentionLimits } from "./log-options.js";

describeEventLog("embedded", async (options) => openEmbeddedLog({ ...options, dir: await makeLogDirectory() }));

const unlimited: RetentionLimits = { maxEvents: null, maxAgeMs: null, maxBytes: null };

describe("an embedded log that is opened again", () => {
  it("is where it was: epoch, head, oldest, sizes and records", async () => {
    const dir = await makeLogDirectory();
    const retention = { ...unlimited, maxEvents: 500 };
    const before = await openLogIn(dir, { retention });
    for (const n of range(0, 19))
      await before.append(draftsOf(n * 50, 1 + n * 2, { fields: Buffer.alloc(n * 100, n) }));
    const [records, stats, epoch] = [await readAll(before), before.stats(), before.epoch];
    await before.close();
    const after = await openLogIn(dir, { retention });
    expect([after.epoch, after.head, after.oldest]).toEqual([epoch, before.head, before.oldest]);
    expect(after.stats()).toMatchObject({ events: stats.events, bytes: stats.bytes, state: "open" });
    expect(comparable(await readAll(after))).toEqual(comparable(records));
    expect(await after.append([draftOf("next")])).toMatchObject({ firstSeq: before.head + 1 });
  });

  it("knows the ids of the dedup window again, by count and by age", async () => {
    const dir = await makeLogDirectory();
    const clock = new ManualClock();
    const dedup = { windowMs: 1000, maxIds: 5 };
    const first = await openLogIn(dir, { clock, dedup });
    await first.append(draftsOf(1, 3));
    clock.advance(600);
    await first.append(draftsOf(4, 4));
    await first.close();
    const second = await openLogIn(dir, { clock, dedup });
    expect(await second.append([draftOf(7), draftOf(3)])).toEqual({ firstSeq: 3, lastSeq: 7, duplicates: 2 });
    expect(await second.append([draftOf(2)])).toEqual({ firstSeq: 8, lastSeq: 8, duplicates: 0 });
    await second.close();
    clock.advance(400);
    const third = await openLogIn(dir, { clock, dedup: { windowMs: 1000, maxIds: 100 } });
    expect(await third.append([draftOf(4), draftOf(1)])).toEqual({ firstSeq: 4, lastSeq: 9, duplicates: 1 });
  });

  it("keeps its head when nothing is retained", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const dir = await makeLogDirectory();
    const clock = new ManualClock();
    const options = { clock, retention: { ...unlimited, maxAgeMs: 100 }, retentionIntervalMs: 10 };
    const before = await openLogIn(dir, options);
    await before.append(draftsOf(1, 30));
    clock.advance(101);
    vi.advanceTimersByTime(10);
    expect(before.oldest).toBe(31);
    await before.close();
    const after = await openLogIn(dir, options);
    expect([after.head, after.oldest, after.stats().events, after.stats().bytes]).toEqual([30, 31, 0, 0]);
    expect(await after.append([draftOf(31)])).toMatchObject({ firstSeq: 31 });
    vi.useRealTimers();
  });

  it("obeys narrower and wider limits at once", async () => {
    const dir = await makeLogDirectory();
    const first = await openLogIn(dir);
    for (const n of range(0, 9)) await first.append(draftsOf(n * 10, 10, { fields: Buffer.alloc(1000) }));
    await first.close();
    const narrower = await openLogIn(dir, { retention: { ...unlimited, maxEvents: 25, maxBytes: 22_000 } });
    expect(narrower.oldest).toBe(81);
    await narrower.append(draftsOf(100, 1));
    await narrower.close();
    const wider = await openLogIn(dir);
    expect(wider.oldest).toBe(81);
    expect(seqsOf(await readAll(wider))).toEqual(range(81, 101));
  });
});

describe("an embedded log's directory", () => {
  it("is made, with a file for the events and, while it is open, a lock", async () => {
    const dir = join(await makeLogDirectory(), "data", "log");
    const log = await openLogIn(dir);
    expect((await readdir(dir)).toSorted()).toEqual(["events.mdb", "events.mdb-lock", "lock"]);
    await log.close();
    expect((await readdir(dir)).toSorted()).toEqual(["events.mdb", "events.mdb-lock"]);
  });

  it("is used by one log at a time, also within one process", async () => {
    const dir = await makeLogDirectory();
    const log = await openLogIn(dir);
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "LOG_LOCKED" });
    await expect(openLogIn(dir)).rejects.toThrow(`process ${process.pid} `);
    await log.append([draftOf(1)]);
    await log.close();
    expect((await openLogIn(dir)).head).toBe(1);
  });

  it("may hold what a creation left that was killed", async () => {
    const dir = await makeLogDirectory();
    await writeFile(join(dir, "events.mdb.new"), "half a file");
    const log = await openLogIn(dir);
    await log.append([draftOf(1)]);
    expect(await readdir(dir)).not.toContain("events.mdb.new");
  });
});

describe("an embedded log under retention", () => {
  it("stops growing: what it lets go is used again", async () => {
    const dir = await makeLogDirectory();
    const log = await openLogIn(dir, { retention: { ...unlimited, maxBytes: 1_000_000 } });
    const fileBytes = async (): Promise<number> => (await stat(join(dir, "events.mdb"))).size;
    const appendSome = async (from: number): Promise<void> => {
      for (const n of range(from, from + 29)) await log.append(draftsOf(n * 200, 200, { fields: Buffer.alloc(500) }));
    };
    await appendSome(0);
    const before = await fileBytes();
    await appendSome(100);
    await appendSome(200);
    expect(await fileBytes()).toBeLessThan(before * 1.5);
    expect(log.stats().bytes).toBeLessThanOrEqual(1_000_000);
  });

  it("frees what it let go while nothing is appended, some at a time", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const dir = await makeLogDirectory();
    const clock = new ManualClock();
    const log = await openLogIn(dir, { clock, retention: { ...unlimited, maxAgeMs: 1000 }, retentionIntervalMs: 10 });
    await Promise.all(range(0, 99).map((n) => log.append([draftOf(n, { fields: Buffer.alloc(200_000) })])));
    clock.advance(1001);
    vi.advanceTimersByTime(10);
    await vi.waitFor(() => expect(log.oldest).toBe(101), { timeout: 5000 });
    expect(log.stats()).toMatchObject({ events: 0, bytes: 0 });
    const sizeBefore = (await stat(join(dir, "events.mdb"))).size;
    vi.advanceTimersByTime(10);
    vi.useRealTimers();
    await log.append(draftsOf(1000, 50, { fields: Buffer.alloc(200_000) }));
    expect((await stat(join(dir, "events.mdb"))).size, "the room is used again").toBeLessThan(sizeBefore * 1.6);
  });
});
