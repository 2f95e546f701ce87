// Retention: the oldest goes by count, age and bytes.
import { describe, expect, it, vi } from "vitest";
import type { EventLog } from "../event-log.js";
import type { LogOptions } from "../log-options.js";
import {
  draftOf,
  draftsOf,
  ManualClock,
  range,
  readAll,
  seqsOf,
  type LogTraits,
  type OpenLog,
} from "./log-under-test.js";

const keep = (limits: Partial<LogOptions["retention"]>): Partial<LogOptions> => ({
  retention: { maxEvents: null, maxAgeMs: null, maxBytes: null, ...limits },
});

/** Whatever is taken while it is read: what a page lacks lies before its `oldest`. */
async function expectNoSilentHole(log: EventLog): Promise<void> {
  for (let after = log.oldest - 1; after < log.head;) {
    const { records, scannedTo, oldest } = await log.read(after, { limit: 100 });
    expect(seqsOf(records)).toEqual(range(Math.max(after + 1, oldest), scannedTo));
    after = scannedTo;
  }
}

/** What retention takes is known at once, or soon after. */
const soon = { timeout: 10_000, interval: 10 };

/** Part of the suite of every engine. */
export function describeRetention(open: OpenLog, traits: LogTraits): void {
  const isOurs = traits.time === "ours";
  describe("retention", () => {
    it("keeps exactly max_events", async () => {
      const log = await open(keep({ maxEvents: 10 }));
      await log.append(draftsOf(1, 9));
      expect(log.oldest).toBe(1);
      await log.append(draftsOf(10, 1));
      expect([log.oldest, log.stats().events]).toEqual([1, 10]);
      await log.append(draftsOf(11, 1));
      expect([log.oldest, log.stats().events]).toEqual([2, 10]);
      await log.append(draftsOf(12, 25));
      expect([log.oldest, log.head, log.stats().events]).toEqual([27, 36, 10]);
      expect(seqsOf(await readAll(log))).toEqual(range(27, 36));
      expect((await log.read(0, { limit: 3 })).records[0]?.seq).toBe(27);
    });

    it("lets go of what is older than max_age_ms, also while nothing is appended, and says so", async () => {
      const clock = new ManualClock();
      const log = await open({ clock, ...keep({ maxAgeMs: 1000 }), retentionIntervalMs: 20 });
      await log.append(draftsOf(1, 3));
      if (isOurs) clock.advance(1001);
      await vi.waitFor(() => expect([log.oldest, log.head]).toEqual([4, 3]), soon);
      expect(log.stats()).toMatchObject({ events: 0, bytes: 0 });
      expect(await log.read(0, { limit: 1 })).toEqual({ records: [], scannedTo: 3, oldest: 4, head: 3 });
      expect(await log.append(draftsOf(4, 1))).toMatchObject({ firstSeq: 4 });
      expect(seqsOf(await readAll(log))).toEqual([4]);
    });

    it.runIf(isOurs)("lets a commit go exactly when it is older than max_age_ms", async () => {
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
      const clock = new ManualClock();
      const log = await open({ clock, ...keep({ maxAgeMs: 5000 }), retentionIntervalMs: 100 });
      await log.append(draftsOf(1, 3));
      clock.advance(1000);
      await log.append(draftsOf(4, 2));
      clock.advance(4000);
      vi.advanceTimersByTime(100);
      expect(log.oldest, "of 5000 ms").toBe(1);
      clock.advance(1);
      vi.advanceTimersByTime(100);
      expect([log.oldest, log.stats().events], "of 5001 ms").toEqual([4, 2]);
      clock.advance(1000);
      vi.advanceTimersByTime(100);
      expect([log.oldest, log.head]).toEqual([6, 5]);
      expect(log.stats()).toMatchObject({ events: 0, bytes: 0 });
      expect(await log.read(0, { limit: 1 })).toEqual({ records: [], scannedTo: 5, oldest: 6, head: 5 });
      expect(await log.append(draftsOf(6, 1))).toMatchObject({ firstSeq: 6 });
    });

    it("keeps about max_bytes, and the newest commit whatever its size", async () => {
      const log = await open(keep({ maxBytes: 100_000 }));
      const fields = Buffer.alloc(1000);
      for (const n of range(0, 29)) {
        await log.append(draftsOf(n * 10, 10, { fields }));
        await vi.waitFor(() => expect(log.stats().bytes).toBeLessThanOrEqual(100_000), soon);
      }
      await vi.waitFor(() => expect(log.oldest).toBeGreaterThan(200), soon);
      expect(log.stats().events).toBeGreaterThanOrEqual(70);
      expect(seqsOf(await readAll(log))).toEqual(range(log.oldest, 300));
      if (!traits.keepsNewest) return;
      await log.append([draftOf("large", { fields: Buffer.alloc(200_000) })]);
      expect(seqsOf(await readAll(log))).toEqual([301]);
      await log.append([draftOf("small")]);
      expect(seqsOf(await readAll(log))).toEqual([302]);
    });

    it("gives a reader that retention overtakes what is left, and says so", async () => {
      const log = await open(keep({ maxEvents: 20 }));
      await log.append(draftsOf(1, 20));
      const before = await log.read(0, { limit: 5 });
      expect(before).toMatchObject({ scannedTo: 5, oldest: 1 });
      await log.append(draftsOf(21, 15));
      const page = await log.read(before.scannedTo, { limit: 5 });
      expect(page).toMatchObject({ oldest: 16, scannedTo: 20 });
      expect(seqsOf(page.records)).toEqual(range(16, 20));
      expect(await log.read(3, { limit: 5, until: 9 })).toMatchObject({ records: [], scannedTo: 9, oldest: 16 });
    });

    it("reads rightly at every moment of a long run that is trimmed as it goes", async () => {
      const log = await open(keep({ maxEvents: 500, maxBytes: 60_000 }));
      let appended = 0;
      for (const n of range(1, 120)) {
        const appending = log.append(draftsOf(appended, n % 17, { fields: Buffer.alloc((n * 37) % 400) }));
        appended += n % 17;
        if (isOurs) expect(seqsOf(await readAll(log, log.oldest - 1))).toEqual(range(log.oldest, log.head));
        else await expectNoSilentHole(log);
        await appending;
        expect(log.stats().events).toBeLessThanOrEqual(500);
        if (isOurs) expect(log.stats().bytes).toBeLessThanOrEqual(60_000);
      }
      expect(log.head).toBe(appended);
    });
  });
}
