// Dedup: an event id that is known is accepted and not stored again.
import { describe, expect, it } from "vitest";
import { draftOf, draftsOf, ManualClock, readAll, type LogTraits, type OpenLog } from "./log-under-test.js";

/** Part of the suite of every engine. */
export function describeDedup(open: OpenLog, traits: LogTraits): void {
  describe("dedup", () => {
    it("stores an id once, within an append and over appends, and tells the seqs of the first copies", async () => {
      const log = await open();
      const first = draftOf(1, { eventType: "FIRST" });
      expect(await log.append([first, draftOf(2), draftOf(1)])).toEqual({ firstSeq: 1, lastSeq: 2, duplicates: 1 });
      expect(await log.append([draftOf(3), draftOf(2), draftOf(1)])).toEqual({
        firstSeq: 1,
        lastSeq: 3,
        duplicates: 2,
      });
      expect(await log.append([draftOf(2)])).toEqual({ firstSeq: 2, lastSeq: 2, duplicates: 1 });
      const records = await readAll(log);
      expect(records.map((record) => record.eventId)).toEqual(["event-1", "event-2", "event-3"]);
      expect(records[0]?.eventType).toBe("FIRST");
      expect(log.stats().commits, "a commit of duplicates alone is none").toBe(2);
    });

    it("finds the duplicate of an append that is not durable yet", async () => {
      const log = await open();
      const results = await Promise.all([
        log.append(draftsOf(1, 3)),
        log.append(draftsOf(2, 3)),
        log.append([draftOf(1)]),
      ]);
      expect(results).toEqual([
        { firstSeq: 1, lastSeq: 3, duplicates: 0 },
        { firstSeq: 2, lastSeq: 4, duplicates: 2 },
        { firstSeq: 1, lastSeq: 1, duplicates: 1 },
      ]);
      expect(log.head).toBe(4);
    });

    it.runIf(traits.time === "ours")("knows an id for just less than window_ms", async () => {
      const clock = new ManualClock();
      const log = await open({ clock, dedup: { windowMs: 1000, maxIds: 100 } });
      await log.append([draftOf(1)]);
      clock.advance(999);
      expect(await log.append([draftOf(1)])).toEqual({ firstSeq: 1, lastSeq: 1, duplicates: 1 });
      clock.advance(1);
      expect(await log.append([draftOf(1)])).toEqual({ firstSeq: 2, lastSeq: 2, duplicates: 0 });
    });

    it.runIf(traits.countsIds)("knows the newest max_ids ids", async () => {
      const log = await open({ dedup: { windowMs: 1000, maxIds: 3 } });
      await log.append(draftsOf(1, 4));
      expect(await log.append([draftOf(2)])).toMatchObject({ duplicates: 1 });
      expect(await log.append([draftOf(1)])).toEqual({ firstSeq: 5, lastSeq: 5, duplicates: 0 });
    });

    it("knows an id of which the record has gone", async () => {
      const log = await open({ retention: { maxEvents: 1, maxAgeMs: null, maxBytes: null } });
      await log.append([draftOf(1)]);
      await log.append([draftOf(2)]);
      expect(log.oldest).toBe(2);
      expect(await log.append([draftOf(1)])).toEqual({ firstSeq: 1, lastSeq: 1, duplicates: 1 });
    });
  });
}
