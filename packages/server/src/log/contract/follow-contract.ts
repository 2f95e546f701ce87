// Following: the live feed, and its seam to reading.
import { describe, expect, it } from "vitest";
import type { EventLog, EventRecord } from "../event-log.js";
import { draftOf, draftsOf, range, readAll, seqsOf, type OpenLog } from "./log-under-test.js";

/** Part of the suite of every engine. */
export function describeFollow(open: OpenLog): void {
  describe("follow", () => {
    it("tells what is durable, before the append resolves", async () => {
      const log = await open();
      const told: (number | string)[] = [];
      log.follow((records) => {
        expect(log.head).toBe(records.at(-1)?.seq);
        told.push(...seqsOf(records));
      });
      await log.append(draftsOf(1, 3)).then(() => told.push("resolved"));
      expect(told).toEqual([1, 2, 3, "resolved"]);
    });

    it("tells records that can be read in the callback", async () => {
      const log = await open();
      const reads: ReturnType<EventLog["read"]>[] = [];
      log.follow((records) => reads.push(log.read((records[0]?.seq ?? 0) - 1, { limit: 100 })));
      await Promise.all([log.append(draftsOf(1, 3)), log.append(draftsOf(4, 2))]);
      await log.append(draftsOf(6, 1));
      const pages = await Promise.all(reads);
      expect(pages.flatMap((page) => seqsOf(page.records))).toEqual(range(1, 6));
    });

    it("tells duplicates nothing, and what was appended before following neither", async () => {
      const log = await open();
      await log.append(draftsOf(1, 2));
      const seqs: number[] = [];
      log.follow((records) => seqs.push(...seqsOf(records)));
      await log.append(draftsOf(1, 3));
      expect(seqs).toEqual([3]);
    });

    it("ends when told to, also within a callback, and then for others too", async () => {
      const log = await open();
      const told: string[] = [];
      const ends: (() => void)[] = [];
      ends.push(
        log.follow(() => {
          told.push("one");
          for (const end of ends) end();
        }),
      );
      ends.push(log.follow(() => told.push("other")));
      log.follow(() => told.push("third"));
      await log.append([draftOf(1)]);
      await log.append([draftOf(2)]);
      expect(told).toEqual(["one", "third", "third"]);
    });

    it("tells one that begins within a callback only what comes later", async () => {
      const log = await open();
      const seqs: number[] = [];
      const end = log.follow(() => {
        end();
        log.follow((records) => seqs.push(...seqsOf(records)));
      });
      await log.append([draftOf(1)]);
      await log.append(draftsOf(2, 2));
      expect(seqs).toEqual([2, 3]);
    });

    it("goes on when a follower throws, and reports it", async () => {
      const errors: Error[] = [];
      const log = await open({ onError: (error) => errors.push(error) });
      const seqs: number[] = [];
      const cause = new Error("of the follower");
      log.follow(() => {
        throw cause;
      });
      log.follow((records) => seqs.push(...seqsOf(records)));
      await log.append([draftOf(1)]);
      await log.append([draftOf(2)]);
      expect(seqs).toEqual([1, 2]);
      expect(errors.map((error) => error.cause)).toEqual([cause, cause]);
    });

    it("lets a follower append", async () => {
      const log = await open();
      const appends: Promise<unknown>[] = [];
      const seqs: number[] = [];
      log.follow((records) => {
        seqs.push(...seqsOf(records));
        if (log.head < 3) appends.push(log.append([draftOf(`follow-up ${log.head}`)]));
      });
      await log.append([draftOf(1)]);
      while (appends.length > 0) await appends.shift();
      expect(seqs).toEqual([1, 2, 3]);
    });

    it("joins what is read up to the head with what follows, each record once", async () => {
      const log = await open();
      const appending = Promise.all(range(0, 49).map((n) => log.append(draftsOf(n * 20, 20))));
      await log.append([draftOf("in the middle")]);
      const live: EventRecord[] = [];
      log.follow((records) => live.push(...records));
      const head = log.head;
      const history = await readAll(log);
      await Promise.all([appending, log.append(draftsOf(5000, 100))]);
      const seqs = [...seqsOf(history).filter((seq) => seq <= head), ...seqsOf(live)];
      expect(seqs).toEqual(range(1, 1101));
    });
  });
}
