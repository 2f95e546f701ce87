// Appending: order, atomicity of one call, what is refused.
import { describe, expect, it, vi } from "vitest";
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

/** Part of the suite of every engine. */
export function describeAppend(open: OpenLog, traits: LogTraits): void {
  describe("append", () => {
    it("starts empty, with an epoch of its own", async () => {
      const [one, other] = [await open(), await open()];
      expect([one.head, one.oldest]).toEqual([0, 1]);
      expect(one.epoch).toMatch(/^[0-9a-f-]{36}$/);
      expect(one.epoch).not.toBe(other.epoch);
      expect(one.stats()).toEqual({ events: 0, bytes: 0, commits: 0, lastCommitMs: 0, state: "open" });
    });

    it("gives consecutive seqs from 1 and reads back what was appended", async () => {
      const clock = new ManualClock();
      const log = await open({ clock });
      const drafts = [
        draftOf(1),
        draftOf(2, { clusterId: undefined }),
        draftOf("größe ✓", { fields: Buffer.alloc(0) }),
      ];
      expect(await log.append(drafts)).toEqual({ firstSeq: 1, lastSeq: 3, duplicates: 0 });
      const appendedAtMs: unknown = traits.time === "ours" ? clock.wall() : expect.any(Number);
      expect(await readAll(log)).toEqual(drafts.map((draft, index) => ({ ...draft, seq: index + 1, appendedAtMs })));
      expect(log.head).toBe(3);
      expect(log.stats()).toMatchObject({ events: 3, commits: 1, state: "open" });
      expect(log.stats().bytes).toBeGreaterThan(0);
    });

    it("takes an append of nothing", async () => {
      const log = await open();
      await log.append(draftsOf(1, 2));
      expect(await log.append([])).toEqual({ firstSeq: 3, lastSeq: 2, duplicates: 0 });
      expect(log.stats().commits).toBe(1);
    });

    it("keeps the events of one append together, and appends in the order of their calls", async () => {
      const log = await open();
      const results = await Promise.all(range(0, 49).map((n) => log.append(draftsOf(n * 10, 1 + (n % 7)))));
      let next = 1;
      results.forEach((result, n) => {
        expect(result).toEqual({ firstSeq: next, lastSeq: next + (n % 7), duplicates: 0 });
        next = result.lastSeq + 1;
      });
      expect(seqsOf(await readAll(log))).toEqual(range(1, next - 1));
    });

    it("takes 10,000 events of 16 MB in one append", async () => {
      const log = await open();
      const fields = Buffer.alloc(1600, "x");
      expect(await log.append(draftsOf(0, 10_000, { fields }))).toEqual({
        firstSeq: 1,
        lastSeq: 10_000,
        duplicates: 0,
      });
      const records = await readAll(log);
      expect(seqsOf(records)).toEqual(range(1, 10_000));
      expect(records.every((record) => record.fields.equals(fields))).toBe(true);
    });

    it("takes an event of eventBytesMax and refuses one that is a byte larger", async () => {
      const log = await open();
      expect(log.eventBytesMax).toBeGreaterThanOrEqual(1_000_000);
      const fields = Buffer.alloc(log.eventBytesMax, "x");
      await log.append([draftOf(1), draftOf(2, { fields }), draftOf(3)]);
      const records = await readAll(log);
      expect(seqsOf(records)).toEqual([1, 2, 3]);
      expect(records[1]?.fields.equals(fields)).toBe(true);
      const larger = draftOf(4, { fields: Buffer.alloc(fields.length + 1) });
      await expect(log.append([draftOf(5), larger])).rejects.toThrow(RangeError);
      expect(log.head).toBe(3);
    });

    it.each(["eventId", "eventType", "clusterId"])("refuses an %s of more than 1024 characters", async (member) => {
      const log = await open();
      await log.append([draftOf(1, { [member]: "é".repeat(1024) })]);
      expect((await readAll(log))[0]).toMatchObject({ [member]: "é".repeat(1024) });
      await expect(log.append([draftOf(2, { [member]: "x".repeat(1025) })])).rejects.toThrow(RangeError);
    });

    it("refuses with LOG_BUSY what would make too many bytes wait, and takes it later", async () => {
      const log = await open({ pendingBytesMax: 10_000 });
      const fields = Buffer.alloc(4000);
      const settled = await Promise.allSettled([
        log.append([draftOf(1, { fields })]),
        log.append([draftOf(2, { fields })]),
        log.append([draftOf(3, { fields })]),
      ]);
      expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
      expect(settled[2]).toMatchObject({ reason: { code: "LOG_BUSY" } });
      expect(await log.append([draftOf(3, { fields })])).toEqual({ firstSeq: 3, lastSeq: 3, duplicates: 0 });
      const alone = draftOf(4, { fields: Buffer.alloc(20_000) });
      expect(await log.append([alone])).toMatchObject({ firstSeq: 4 });
    });

    it("takes an append at any moment after another", async () => {
      const log = await open();
      for (const microtasks of range(0, 12)) {
        await log.append([draftOf(`first ${microtasks}`)]);
        for (let passed = 0; passed < microtasks; passed += 1) await Promise.resolve();
        await log.append([draftOf(`second ${microtasks}`)]);
      }
      expect(log.head).toBe(26);
    });

    it("reports each commit", async () => {
      const onCommit = vi.fn<NonNullable<LogOptions["onCommit"]>>();
      const log = await open({ onCommit });
      await log.append(draftsOf(1, 5));
      expect(onCommit).toHaveBeenCalledOnce();
      expect(onCommit.mock.calls[0]?.[0]).toMatchObject({ events: 5, durationMs: 0 });
      expect(onCommit.mock.calls[0]?.[0].bytes).toBeGreaterThan(5 * 30);
      if (traits.time === "ours") expect(onCommit.mock.calls[0]?.[0].bytes).toBe(log.stats().bytes);
    });
  });
}
