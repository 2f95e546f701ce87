import { open, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeLogDirectory, openLogIn } from "./contract/log-directory.js";
import { draftOf, draftsOf, range, readAll, seqsOf } from "./contract/log-under-test.js";
import { LogError, type EventLog } from "./event-log.js";
import { metaKey, openLmdb, type LmdbDatabase } from "./lmdb-database.js";
import { encodeMeta } from "./meta-record.js";

/** 20 commits of 10 records each, every one with fields of its own, in a directory; closed. */
const makeLog = async (): Promise<{ dir: string; path: string }> => {
  const dir = await makeLogDirectory();
  const log = await openLogIn(dir);
  for (const n of range(0, 19)) await log.append(draftsOf(n * 10 + 1, 10, { fields: fieldsOf(n) }));
  await log.close();
  return { dir, path: join(dir, "events.mdb") };
};

const fieldsOf = (commit: number): Buffer => Buffer.from(`"the fields of commit ${commit}."`.repeat(40));

/** Changes a byte in the middle of where `text` is first found in the file. */
const flipIn = async (path: string, text: string | Buffer): Promise<void> => {
  const bytes = await readFile(path);
  const at = bytes.indexOf(text) + 20;
  expect(at).toBeGreaterThan(20);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  await writeFile(path, bytes);
};

const changeInside = async (path: string, change: (db: LmdbDatabase) => void): Promise<void> => {
  const db = openLmdb(path);
  change(db);
  await db.close();
};

/** Reads all, and goes on behind what cannot be read. */
const readAround = async (log: EventLog): Promise<{ seqs: number[]; lost: unknown[] }> => {
  const [seqs, lost]: [number[], unknown[]] = [[], []];
  for (let after = 0; after < log.head;) {
    try {
      const page = await log.read(after, { limit: 7 });
      seqs.push(...seqsOf(page.records));
      after = page.scannedTo;
    } catch (error) {
      if (!(error instanceof LogError) || error.seqs === undefined) throw error;
      lost.push({ code: error.code, seqs: error.seqs });
      after = error.seqs.last;
    }
  }
  return { seqs, lost };
};

describe("a damaged embedded log", () => {
  it("gives what comes before a flipped bit, names the records that are gone, and goes on behind them", async () => {
    const { dir, path } = await makeLog();
    await flipIn(path, fieldsOf(5));
    const log = await openLogIn(dir, { dedup: { windowMs: 0, maxIds: 0 } });
    const { seqs, lost } = await readAround(log);
    expect(seqs).toEqual([...range(1, 50), ...range(61, 200)]);
    expect(lost).toMatchObject([{ code: "LOG_DAMAGED", seqs: { first: 51, last: 60 } }]);
    await expect(log.read(55, { limit: 1 })).rejects.toThrow("seqs 56 to 60 ");
    expect(await log.append([draftOf("on")])).toMatchObject({ firstSeq: 201 });
  });

  it("lets a damaged block go when its turn comes, and none before", async () => {
    const { dir, path } = await makeLog();
    await flipIn(path, fieldsOf(1));
    const errors: Error[] = [];
    const options = { onError: (error: Error) => errors.push(error), dedup: { windowMs: 0, maxIds: 0 } };
    const log = await openLogIn(dir, { ...options, retention: { maxEvents: 185, maxAgeMs: null, maxBytes: null } });
    expect(log.oldest).toBe(16);
    await log.append(draftsOf(1000, 10));
    expect(seqsOf(await readAll(log, 25))).toEqual(range(26, 210));
    await log.append(draftsOf(2000, 10));
    expect(log.stats().events).toBe(185);
    expect(seqsOf(await readAll(log))).toEqual(range(36, 220));
    expect(errors).toEqual([]);
  });

  it("is refused where its newest block fails its checksum", async () => {
    const { dir, path } = await makeLog();
    await flipIn(path, fieldsOf(19));
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "LOG_DAMAGED" });
    await expect(openLogIn(dir), "again, without a lock left behind").rejects.toThrow("seq 191 ");
  });

  it("is refused where a block is missing at the end, and read around where one is missing in the middle", async () => {
    const { dir, path } = await makeLog();
    await changeInside(path, (db) => db.removeSync(31));
    const log = await openLogIn(dir, { dedup: { windowMs: 0, maxIds: 0 } });
    const { seqs, lost } = await readAround(log);
    expect(seqs).toEqual([...range(1, 30), ...range(41, 200)]);
    expect(lost).toMatchObject([{ code: "LOG_DAMAGED", seqs: { first: 31, last: 40 } }]);
    await log.close();
    await changeInside(path, (db) => db.removeSync(191));
    await expect(openLogIn(dir)).rejects.toThrow("newest seq is 190, and by its meta record 200");
  });

  it("is refused where its meta record is missing, damaged, or of another version", async () => {
    const { dir, path } = await makeLog();
    const meta = encodeMeta({ epoch: "7f2f8b9e-0f2f-4c1e-9a55-3f1f6f6d2a10", head: 200, oldest: 1, bytes: 1 });
    await changeInside(path, (db) => db.putSync(metaKey, meta.fill(1, 20, 24)));
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "LOG_DAMAGED" });
    await changeInside(path, (db) => db.removeSync(metaKey));
    await expect(openLogIn(dir)).rejects.toThrow("no meta record");
  });

  it("is refused with its tail cut off, wherever the cut is, and is then as it was", async () => {
    const { dir, path } = await makeLog();
    const whole = await readFile(path);
    const usedBytes = whole.lastIndexOf(Buffer.from("the fields of commit"));
    for (const part of [0, 0.001, 0.1, 0.5, 0.9, 0.99]) {
      const bytes = Math.floor(usedBytes * part);
      await writeFile(path, whole);
      await truncate(path, bytes);
      await expect(openLogIn(dir), `cut at ${bytes}`).rejects.toMatchObject({ code: "LOG_DAMAGED" });
      expect((await readFile(path)).equals(whole.subarray(0, bytes))).toBe(true);
    }
    await writeFile(path, whole);
    expect(seqsOf(await readAll(await openLogIn(dir)))).toEqual(range(1, 200));
  });

  it("is refused or right, never worse, whatever bit of the pages' own bytes is flipped", async () => {
    const { dir, path } = await makeLog();
    const whole = await readFile(path);
    const outcomes = new Set<string>();
    const offsets = [0, 8, 18, 20, 24, 48, 96, 152];
    for (let at = 3; at < whole.length; at += 4096) {
      // All of them on the two meta pages; on the others in turn.
      for (const offset of at < 8192 ? offsets : [offsets[(at >> 12) % offsets.length] ?? 0]) {
        const file = await open(path, "r+");
        const byte = at - 3 + offset;
        await file.write(Buffer.from([(whole[byte] ?? 0) ^ 0x04]), 0, 1, byte);
        await file.close();
        try {
          const log = await openLogIn(dir);
          const { seqs, lost } = await readAround(log);
          outcomes.add(lost.length > 0 ? "read around" : "right");
          if (lost.length === 0) expect(seqs, `byte ${byte}`).toEqual(range(1, 200));
          await log.append([draftOf("one more")]);
          await log.close();
        } catch (error) {
          outcomes.add("refused");
          expect(error, `byte ${byte}`).toMatchObject({
            code: expect.stringMatching(/^LOG_(?:DAMAGED|FORMAT)$/) as unknown,
          });
        }
        await writeFile(path, whole);
      }
    }
    expect(outcomes).toContain("refused");
    expect(outcomes).toContain("right");
  }, 60_000);

  it("is refused where the file is not LMDB's, or of another data format", async () => {
    const { dir, path } = await makeLog();
    const whole = await readFile(path);
    await writeFile(path, Buffer.alloc(whole.length));
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "LOG_DAMAGED" });
    whole.writeUInt32LE(1, 28);
    await writeFile(path, whole);
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "LOG_FORMAT" });
  });
});
