// Whether an acknowledgement waits for the disk, seen from outside with strace, where it is installed and permitted.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { makeLogDirectory, openLogIn } from "./contract/log-directory.js";
import { range, readAll, seqsOf } from "./contract/log-under-test.js";

const builtLog = fileURLToPath(new URL("../../dist/log/embedded-log.js", import.meta.url));
const child = fileURLToPath(new URL("fixtures/append-one-by-one.mjs", import.meta.url));
const appends = 5;

const strace = (
  options: readonly string[],
  args: readonly string[],
): { refusal: string } | { stdout: string; stderr: string } => {
  if (!existsSync(builtLog)) return { refusal: `${builtLog} is not there: run tsc -b first` };
  const { error, stdout, stderr } = spawnSync("strace", ["-f", ...options, process.execPath, child, ...args], {
    encoding: "utf8",
  });
  if (error !== undefined) return { refusal: `strace is not there: ${error.message}` };
  if (stderr.includes("PTRACE_")) return { refusal: `strace is not permitted: ${stderr}` };
  return { stdout, stderr };
};

describe("an embedded log's acknowledgement", () => {
  it("comes after an fdatasync of the pages and a synchronous write of the meta page", async ({ skip }) => {
    const dir = await makeLogDirectory();
    const trace = join(dir, "trace");
    const ran = strace(["-e", "trace=fdatasync,pwrite64,write,openat", "-o", trace], [join(dir, "log"), `${appends}`]);
    if ("refusal" in ran) return skip(ran.refusal);
    const calls = (await readFile(trace, "utf8")).split("\n");
    // The file as LMDB opens it for its meta pages: the last time is after it was made and moved.
    const metaFile = /= (\d+)$/.exec(
      calls.findLast((call) => call.includes("events.mdb") && call.includes("O_DSYNC")) ?? "",
    )?.[1];
    expect(metaFile).toBeDefined();
    const story = calls.slice(calls.findIndex((call) => call.includes(`"open\\n"`))).flatMap((call) => {
      if (/fdatasync(?:\(\d+\)| resumed>\)) += 0/.test(call)) return ["synced"];
      if (call.includes(`pwrite64(${metaFile ?? ""},`)) return ["meta written"];
      return /"acknowledged/.test(call) ? ["acknowledged"] : [];
    });
    const untilLast = story.slice(0, story.lastIndexOf("acknowledged") + 1);
    expect(untilLast).toEqual(range(1, appends).flatMap(() => ["synced", "meta written", "acknowledged"]));
    return undefined;
  });

  it("is not given when an fdatasync fails, nor ever after, while reading goes on", async ({ skip }) => {
    const dir = await makeLogDirectory();
    const inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=3", "-o", join(dir, "trace")];
    // One thread of the pool, so that the third fdatasync of it is the third of all.
    const ran = strace(["-E", "UV_THREADPOOL_SIZE=1", ...inject], [join(dir, "log"), "8"]);
    if ("refusal" in ran) return skip(ran.refusal);
    const lines = ran.stdout.trim().split("\n").slice(1);
    const acknowledged = lines.filter((line) => line.startsWith("acknowledged")).length;
    expect(acknowledged).toBeLessThan(8);
    expect(lines.slice(acknowledged)).toEqual([
      ...range(acknowledged + 1, 8).map(() => "refused LOG_FAILED"),
      `closed failed, read ${acknowledged}`,
    ]);
    const log = await openLogIn(join(dir, "log"));
    expect(seqsOf(await readAll(log))).toEqual(range(1, acknowledged));
    return undefined;
  });

  it.for([4, 5])("is not given when a write fails, of a page or the meta page (write %i)", async (write, { skip }) => {
    const dir = await makeLogDirectory();
    const inject = ["-e", "trace=pwrite64", "-e", `inject=pwrite64:error=EIO:when=${write}`, "-o", join(dir, "trace")];
    const ran = strace(["-E", "UV_THREADPOOL_SIZE=1", ...inject], [join(dir, "log"), "8"]);
    if ("refusal" in ran) return skip(ran.refusal);
    const lines = ran.stdout.trim().split("\n").slice(1);
    const acknowledged = lines.filter((line) => line === "acknowledged").length;
    expect(lines.slice(acknowledged, -1)).toEqual(range(acknowledged + 1, 8).map(() => "refused LOG_FAILED"));
    // After the meta page LMDB lets no reader in either.
    expect(lines.at(-1)).toMatch(/^closed failed, read (?:\d|LOG_FAILED)$/);
    const log = await openLogIn(join(dir, "log"));
    expect(seqsOf(await readAll(log))).toEqual(range(1, acknowledged));
    return undefined;
  });
});
