// An fsync fails once. What the kernel then holds of the file may never reach the disk, and a second fsync that succeeds
// proves nothing; so nothing more is acknowledged until a restart, while readers go on. strace makes the failure; where
// it is missing or not permitted the test is skipped.
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publisherToken,
  RawClient,
  request,
  spawnService,
  toNdjson,
} from "@sluice/testkit";
import { expect, it } from "vitest";

/** Those of an empty log's making are before it. */
const failingSync = 12;
const publishesMax = 30;
const publishesAfterwards = 5;

function refusalOfStrace(): string | undefined {
  const { error, stderr } = spawnSync("strace", ["-f", "-e", "trace=none", "true"], { encoding: "utf8" });
  if (error !== undefined) return `strace is not there: ${error.message}`;
  return stderr.includes("PTRACE_") ? `strace is not permitted: ${stderr}` : undefined;
}

it("after an fsync that failed nothing is acknowledged until a restart, and reading goes on", async ({ skip }) => {
  const refusal = refusalOfStrace();
  if (refusal !== undefined) return skip(refusal);
  const dir = await mkdtemp(join(tmpdir(), "sluice-fsync-"));
  const logDir = join(dir, "log");
  const trace = join(dir, "trace");
  const inject = `inject=fdatasync:error=EIO:when=${failingSync}`;
  const publishOne = (url: string, n: number) =>
    request(url, "/api/v1/events", {
      method: "POST",
      token: publisherToken(),
      headers: { "content-type": "application/x-ndjson" },
      body: toNdjson(numberedEvents(1, n)),
    });
  try {
    let accepted = 0;
    {
      await using service = await spawnService({
        logDir,
        // One thread for all file work: strace counts the calls of each thread by itself.
        env: { UV_THREADPOOL_SIZE: "1" },
        // With -D the service is our child, and strace its own.
        under: ["strace", "-D", "-f", "-qq", "-e", "trace=fdatasync,fsync", "-e", inject, "-o", trace],
      });
      await using reader = await RawClient.connect(service.url, { token: mint() });
      await reader.subscribe(["*"]);
      for (; accepted < publishesMax; accepted += 1) {
        const { status } = await publishOne(service.url, accepted);
        if (status !== 202) break;
      }
      expect(accepted).toBeGreaterThan(0);
      expect(accepted, "the failure came").toBeLessThan(publishesMax);
      for (let again = 0; again < publishesAfterwards; again += 1) {
        const { status, json } = await publishOne(service.url, 1_000 + again);
        expect({ status, json }).toMatchObject({ status: 503, json: { title: "Unavailable" } });
      }
      const synced = await readFile(trace, "utf8");
      const failedAt = synced.indexOf("EIO");
      expect(failedAt).toBeGreaterThan(0);
      expect(synced.slice(failedAt), "a failed fsync is not tried again").not.toMatch(/f(?:data)?sync\(/);
      expect((await reader.events(accepted)).map(numberOf)).toEqual(Array.from({ length: accepted }, (_, n) => n));
      await using late = await RawClient.connect(service.url, { token: mint() });
      late.send({ type: "subscribe", id: "all", events: ["*"], since: 0 });
      expect((await late.events(accepted)).map(numberOf)).toEqual(Array.from({ length: accepted }, (_, n) => n));
      expect((await request(service.url, "/readyz")).status).toBe(503);
      expect((await request(service.url, "/livez")).status).toBe(200);
      service.kill("SIGTERM");
      await eventually("the service to be gone", () => service.exited.then(() => true));
    }
    await using next = await spawnService({ logDir });
    expect((await publishOne(next.url, accepted)).status).toBe(202);
    await using client = await RawClient.connect(next.url, { token: mint() });
    client.send({ type: "subscribe", id: "all", events: ["*"], since: 0 });
    const events = await client.events(accepted + 1);
    expect(events.map(numberOf)).toEqual(Array.from({ length: accepted + 1 }, (_, n) => n));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return undefined;
});
