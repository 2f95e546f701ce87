import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeLogDirectory, openLogIn } from "./contract/log-directory.js";
import { draftOf, draftsOf, comparable, readAll, seqsOf, range } from "./contract/log-under-test.js";
import type { EventLog } from "./event-log.js";

/** Mounts a small file system, or says why it cannot. */
const mountSmall = async (size: string): Promise<{ dir: string } | { refusal: string }> => {
  const dir = join(await makeLogDirectory(), "small");
  await mkdir(dir);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", dir], { stdio: "pipe" });
  } catch (error) {
    return { refusal: `a tmpfs cannot be mounted here: ${String(error)}` };
  }
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", dir]);
  });
  return { dir };
};

const appendUntilFull = async (log: EventLog, name: string, bytes: number): Promise<unknown> => {
  for (let n = 0; n < 1000; n += 1) {
    try {
      await log.append([draftOf(`${name} ${n}`, { fields: Buffer.alloc(bytes, n) })]);
    } catch (error) {
      return error;
    }
  }
  return undefined;
};

describe("an embedded log on a full disk", () => {
  it("refuses with LOG_FULL, reads on, and appends again when there is room", async ({ skip }) => {
    const small = await mountSmall("4m");
    if ("refusal" in small) return skip(small.refusal);
    const ballast = join(small.dir, "ballast");
    await writeFile(ballast, Buffer.alloc(1_500_000));
    const log = await openLogIn(small.dir);
    expect(await appendUntilFull(log, "first", 50_000)).toMatchObject({ name: "LogError", code: "LOG_FULL" });
    const head = log.head;
    expect(head).toBeGreaterThan(10);
    expect(log.stats().state).toBe("full");
    await expect(log.append(draftsOf(1, 40, { fields: Buffer.alloc(50_000) }))).rejects.toMatchObject({
      code: "LOG_FULL",
    });
    expect(seqsOf(await readAll(log))).toEqual(range(1, head));
    await rm(ballast);
    expect(await log.append([draftOf("with room")])).toEqual({ firstSeq: head + 1, lastSeq: head + 1, duplicates: 0 });
    expect(log.stats().state).toBe("open");
    expect(await appendUntilFull(log, "second", 50_000)).toMatchObject({ code: "LOG_FULL" });
    const records = await readAll(log);
    await log.close();
    expect(comparable(await readAll(await openLogIn(small.dir)))).toEqual(comparable(records));
    return undefined;
  });

  it("goes on with the room that retention frees", async ({ skip }) => {
    const small = await mountSmall("4m");
    if ("refusal" in small) return skip(small.refusal);
    const log = await openLogIn(small.dir, { retention: { maxEvents: null, maxAgeMs: null, maxBytes: 1_000_000 } });
    for (const n of range(0, 199)) await log.append(draftsOf(n * 10, 10, { fields: Buffer.alloc(5000, n) }));
    expect(log.head).toBe(2000);
    expect(seqsOf(await readAll(log))).toEqual(range(log.oldest, 2000));
    return undefined;
  });

  it("is not made where there is no room for it, and is later", async ({ skip }) => {
    const small = await mountSmall("128k");
    if ("refusal" in small) return skip(small.refusal);
    const ballast = join(small.dir, "ballast");
    await writeFile(ballast, Buffer.alloc(120 * 1024));
    const dir = join(small.dir, "log");
    await expect(openLogIn(dir)).rejects.toMatchObject({ code: "ENOSPC" });
    await rm(ballast);
    expect((await openLogIn(dir)).head).toBe(0);
    return undefined;
  });
});
