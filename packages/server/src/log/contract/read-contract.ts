// Reading: pages by position, bounds, matches.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventMatch, EventRecord } from "../event-log.js";
import {
  draftOf,
  draftsOf,
  ManualClock,
  range,
  readAll,
  seqsOf,
  type LogTraits,
  type OpenLog,
  plainOf,
} from "./log-under-test.js";

const draftArbitrary = fc.record({
  eventId: fc.uuid(),
  eventType: fc.constantFrom("A", "B", "GPU_UPDATE", "größe"),
  clusterId: fc.constantFrom(undefined, "c-1", "c-2", ""),
  fields: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

const matchOf = (types: readonly string[]): EventMatch => ({ matches: (eventType) => types.includes(eventType) });

/** Part of the suite of every engine. */
export function describeRead(open: OpenLog, traits: LogTraits): void {
  describe("read", () => {
    it("pages by limit and tells how far it got", async () => {
      const log = await open();
      await log.append(draftsOf(1, 10));
      const page = await log.read(3, { limit: 4 });
      expect(seqsOf(page.records)).toEqual([4, 5, 6, 7]);
      expect(page).toMatchObject({ scannedTo: 7, oldest: 1, head: 10 });
      expect(seqsOf((await log.read(0, { limit: 1 })).records)).toEqual([1]);
      expect((await log.read(0, { limit: 10 })).scannedTo).toBe(10);
      expect((await log.read(0, { limit: 11 })).records).toHaveLength(10);
    });

    it("gives nothing at the head, past it, and of an empty log", async () => {
      const log = await open();
      expect(await log.read(0, { limit: 1 })).toEqual({ records: [], scannedTo: 0, oldest: 1, head: 0 });
      await log.append(draftsOf(1, 2));
      expect(await log.read(2, { limit: 1 })).toEqual({ records: [], scannedTo: 2, oldest: 1, head: 2 });
      expect(await log.read(9, { limit: 1 })).toEqual({ records: [], scannedTo: 9, oldest: 1, head: 2 });
    });

    it("reads up to `until`, inclusive", async () => {
      const log = await open();
      await log.append(draftsOf(1, 10));
      const page = await log.read(2, { limit: 100, until: 5 });
      expect(seqsOf(page.records)).toEqual([3, 4, 5]);
      expect(page.scannedTo).toBe(5);
      expect(await log.read(5, { limit: 100, until: 5 })).toMatchObject({ records: [], scannedTo: 5 });
      expect(await log.read(7, { limit: 100, until: 5 })).toMatchObject({ records: [], scannedTo: 7 });
      expect((await log.read(8, { limit: 100, until: 99 })).scannedTo).toBe(10);
    });

    it("scans what it reads, page by page, where it lies", async () => {
      const log = await open();
      const drafts = range(1, 300).map((n) =>
        draftOf(n, { eventType: n % 3 === 0 ? "größe" : "A", clusterId: n % 2 === 0 ? undefined : `c-${n % 5}` }),
      );
      for (let from = 0; from < drafts.length; from += 70) await log.append(drafts.slice(from, from + 70));
      for (const options of [{ limit: 1000 }, { limit: 7 }, { limit: 40, match: matchOf(["größe"]), bytesMax: 500 }]) {
        for (let after = 0; after < log.head;) {
          const { records, ...bounds } = await log.read(after, options);
          const taken: unknown[] = [];
          const scanned = await log.scan(after, options, (seq, eventType, clusterId, bytes, start, end) =>
            taken.push({ seq, eventType, clusterId, fields: bytes.toString("latin1", start, end) }),
          );
          expect(scanned).toEqual(bounds);
          expect(taken).toEqual(
            records.map(({ seq, eventType, clusterId, fields }) => {
              return { seq, eventType, clusterId, fields: fields.toString("latin1") };
            }),
          );
          after = bounds.scannedTo;
        }
      }
      await expect(log.scan(0, { limit: 0 }, () => undefined)).rejects.toThrow(RangeError);
    });

    it("keeps a page within bytesMax, but for a first record that is larger", async () => {
      const log = await open();
      await log.append(draftsOf(1, 4, { fields: Buffer.alloc(100) }));
      const seqsWithin = async (bytesMax: number): Promise<number[]> =>
        seqsOf((await log.read(0, { limit: 100, bytesMax })).records);
      expect(await seqsWithin(299)).toEqual([1, 2]);
      expect(await seqsWithin(300)).toEqual([1, 2, 3]);
      expect(await seqsWithin(301)).toEqual([1, 2, 3]);
      expect(await seqsWithin(1)).toEqual([1]);
      expect((await log.read(0, { limit: 100, bytesMax: 299 })).scannedTo).toBe(2);
    });

    it("refuses a limit below 1", async () => {
      const log = await open();
      await expect(log.read(0, { limit: 0 })).rejects.toThrow(RangeError);
      await expect(log.read(0, { limit: Number.NaN })).rejects.toThrow(RangeError);
    });

    it("looks at a bounded number of records a call where few match", async () => {
      const log = await open();
      await log.append(draftsOf(1, 10_000));
      await log.append([draftOf("wanted", { eventType: "ALERT" })]);
      const page = await log.read(0, { limit: 1, match: matchOf(["ALERT"]) });
      expect(page.records).toEqual([]);
      expect(page.scannedTo).toBeGreaterThan(1000);
      expect(page.scannedTo).toBeLessThanOrEqual(4096);
      expect(seqsOf(await readAll(log, 0, matchOf(["ALERT"]), 1))).toEqual([10_001]);
    });

    it("may pass over what does not match where that is all one type or one cluster, and misses nothing", async () => {
      const log = await open();
      const rare = { eventType: "ALERT", clusterId: "c.9" };
      await log.append([...draftsOf(1, 9000), draftOf("wanted", rare), draftOf("other", { eventType: "ALERT" })]);
      await log.append([...draftsOf(20_000, 9000), draftOf("last", rare)]);
      for (const only of [rare, { clusterId: "c.9" }]) {
        const match: EventMatch = { matches: (_, clusterId) => clusterId === "c.9", only };
        expect(seqsOf(await readAll(log, 0, match, 10))).toEqual([9001, 18_003]);
        const until = await log.read(0, { limit: 10, match, until: 8000 });
        expect(until.records).toEqual([]);
        expect(until.scannedTo).toBeLessThanOrEqual(8000);
      }
    });

    it("holds no more memory than what matched", async () => {
      const log = await open();
      const fields = Buffer.from("f".repeat(100));
      await log.append([...draftsOf(1, 100, { fields }), draftOf("wanted", { eventType: "ALERT", fields })]);
      const [record] = await readAll(log, 0, matchOf(["ALERT"]));
      expect(record?.fields.equals(fields)).toBe(true);
      expect(record?.fields.buffer.byteLength).toBeLessThan(10_000);
    });

    it("is not changed by later reads and appends", async () => {
      const log = await open();
      await log.append(draftsOf(1, 50));
      const records = await readAll(log);
      const copies = records.map((record) => Buffer.from(record.fields));
      await log.append(draftsOf(100, 500, { fields: Buffer.alloc(500, "z") }));
      await readAll(log);
      expect(records.map((record) => record.fields)).toEqual(copies);
    });

    it("gives what a plain filter gives, whatever the appends, the pages and the match", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(draftArbitrary, { minLength: 1, maxLength: 20 }), { maxLength: 8 }),
          fc.subarray(["A", "B", "GPU_UPDATE", "größe"]),
          fc.subarray([undefined, "c-1", "c-2", ""]),
          fc.record({
            after: fc.nat(100),
            until: fc.nat(120),
            limit: fc.integer({ min: 1, max: 30 }),
            bytesMax: fc.nat(900),
          }),
          async (appends, types, clusters, { after, until, limit, bytesMax }) => {
            const appendedAt = new ManualClock();
            const log = await open({ clock: appendedAt });
            for (const drafts of appends) await log.append(drafts);
            const match: EventMatch = {
              matches: (eventType, clusterId) => types.includes(eventType) && clusters.includes(clusterId),
            };
            const wanted = appends
              .flat()
              .map(({ eventId, eventType, clusterId, fields }, index) => ({
                seq: index + 1,
                eventId,
                eventType,
                clusterId,
                fields,
              }))
              .filter(
                ({ seq, eventType, clusterId }) => seq > after && seq <= until && match.matches(eventType, clusterId),
              );
            const got: EventRecord[] = [];
            for (let next = after; next < Math.min(log.head, until);) {
              const page = await log.read(next, { until, match, limit, bytesMax });
              expect(page.records.length).toBeLessThanOrEqual(limit);
              got.push(...page.records.map((record) => plainOf(record)));
              next = page.scannedTo;
            }
            const appendedAtMs: unknown = traits.time === "ours" ? appendedAt.wall() : expect.any(Number);
            expect(got).toEqual(wanted.map((record) => ({ ...record, appendedAtMs })));
            await log.close();
          },
        ),
        { numRuns: 30 },
      );
    });

    it("reads everything while it grows", async () => {
      const log = await open();
      const appending = Promise.all(range(0, 19).map((n) => log.append(draftsOf(n * 100, 100))));
      const seqs: number[] = [];
      for (let after = 0; after < 2000;) {
        const page = await log.read(after, { limit: 70 });
        seqs.push(...seqsOf(page.records));
        after = page.scannedTo;
        if (page.records.length === 0) await Promise.race([appending, new Promise(setImmediate)]);
      }
      await appending;
      expect(seqs).toEqual(range(1, 2000));
    });
  });
}
