// A log moves from one machine's disk into NATS: every event under its seq, and clients go on where they stood.
// `SLUICE_COPY_EVENTS=1000000` for the long form.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  hasNatsServer,
  mint,
  NatsCluster,
  numberedEvents,
  publish,
  RawClient,
  request,
  sluiceProgram,
  startServer,
  type EventFrame,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const events = Number(process.env["SLUICE_COPY_EVENTS"] ?? 3000);
const batch = 5000;
/** Retention has taken these before the copy: it begins in the middle of the seqs. */
const forgotten = 100;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function copy(dir: string, urls: readonly string[], killAfter?: RegExp): Promise<Ended> {
  const args = [sluiceProgram, "log", "copy", `--from=embedded:${dir}`, `--to=jetstream:${urls.join(",")}`];
  const child = spawn(process.execPath, [...args, "--nats.replicas=1", "--log.retention.max_events=null"], {
    // Not ours: a variable of this test's is no setting.
    env: { PATH: process.env["PATH"] ?? "" },
  });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    if (killAfter?.test(err) === true) child.kill("SIGKILL");
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

// Installed by tools/install-nats.sh; without it there is nothing to try this on.
describe.runIf(hasNatsServer)("sluice log copy", () => {
  it(`moves ${events} events, also after it was killed, and clients go on`, { timeout: 600_000 }, async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-copy-"));
    try {
      await using nats = await NatsCluster.start(1);
      const settings = { engine: "embedded", dir, retention: { max_events: events } } as const;
      let epoch: unknown;
      {
        await using before = await startServer({ log: settings });
        for (let first = 0; first < events + forgotten; first += batch) {
          await publish(before.url, numberedEvents(Math.min(batch, events + forgotten - first), first));
        }
        await using client = await RawClient.connect(before.url, { token: mint() });
        ({ epoch } = await client.next("connected"));
      }
      const killed = await copy(dir, nats.urls, /copying/);
      expect([null, 0], `killed on the way, or done before: ${killed.err}`).toContain(killed.code);
      const { code, out, err } = await copy(dir, nats.urls);
      expect(code, `it said ${err}`).toBe(0);
      expect(out).toContain(`${events.toLocaleString("en-US")} events copied`);
      expect(out).toContain(`seqs ${forgotten + 1} to ${events + forgotten}`);
      expect(out).toMatch(/sha256 [0-9a-f]{64}, the same in both/);
      expect(out).toContain(`epoch ${String(epoch)}`);
      process.stdout.write(`${out}${killed.code === null ? "after a kill\n" : ""}`);

      await using node = await startServer({
        log: { engine: "jetstream", retention: { max_events: null } },
        nats: { servers: nats.urls, replicas: 1 },
      });
      const since = events + forgotten - 500;
      await using client = await RawClient.connect(node.url, { token: mint(), query: "policy=replay" });
      client.send({ type: "subscribe", events: ["*"], since, epoch });
      const { last_seq: last } = await publish(node.url, numberedEvents(1, 10 * events));
      expect(last).toBe(events + forgotten + 1);
      const frames = await client.until("the newest event", ({ type, seq }) => type === "event" && seq === last);
      expect(frames.filter(({ type }) => type === "gap")).toEqual([]);
      const seqs = frames.filter(({ type }) => type === "event").map((frame) => (frame as EventFrame).seq);
      expect(seqs).toEqual(Array.from({ length: 501 }, (_, index) => since + 1 + index));
      const oldest = await request(node.url, "/api/v1/events?since=0&limit=1", { token: mint() });
      expect((oldest.json as { events: readonly EventFrame[] }).events[0]).toMatchObject({ seq: forgotten + 1 });

      const again = await copy(dir, nats.urls);
      expect([again.code, again.err], "into a stream that has gone on").toEqual([
        1,
        expect.stringContaining("holds events of another log, or newer ones"),
      ]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
