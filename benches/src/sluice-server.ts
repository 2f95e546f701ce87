// The whole service in a process of its own: embedded log, authentication, heartbeats, and a publisher inside.

import cluster from "node:cluster";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, keepHeapCompact, mintToken, settingsWith } from "@sluice/runtime";
import { isWorker, startService } from "@sluice/server";
import { EventSource, type BenchEvent } from "./event-source.js";
import { cpuMs } from "./process-cpu.js";
import { usage, type ServerOptions, type ServerReport } from "./server-report.js";

/** Publishes under way when saturated: enough that the disk is never waited for. */
const publishesAtOnce = 8;
const tokenTtlMs = 3_600_000;
/** Beside those that were stored before. */
const retainedEvents = 200_000;
/** Events of one publish when the log is filled. */
const storeBatch = 5000;

// As the programs of `packages/cli` do.
keepHeapCompact();

const options = JSON.parse(process.argv[2] ?? "{}") as ServerOptions;
// Workers run this program anew, and share the log that the first process made.
const dir = isWorker()
  ? (process.env["SLUICE_BENCH_DIR"] ?? "")
  : (process.env["SLUICE_BENCH_DIR"] = await mkdtemp(join(tmpdir(), "sluice-bench-")));
const secret = options.secret ?? "a secret of thirty-two bytes at least";
const settings = settingsWith({
  ...options.settings,
  server: { port: 0, drain_ms: 0, ...options.settings?.["server"] },
  log: { dir, retention: { max_events: retainedEvents + (options.stored ?? 0) } },
  auth: { hs256_secret: secret },
});
const server = await startService({ settings, logger: createLogger({ level: "warn", service: "bench" }) });
const token = await mintToken(secret, { sub: "bench", ttlMs: tokenTtlMs, scope: "events:publish admin" });
async function publish(events: readonly BenchEvent[]): Promise<void> {
  const outcome = await server.publish(events);
  if (outcome.outcome !== "accepted") throw new Error(`publish: ${outcome.outcome}`);
}

const source = new EventSource({ source: options, publish, publishesAtOnce });

/** CPU of the workers, as the kernel counts it. */
function workersCpuMs(): number {
  let ms = 0;
  for (const worker of Object.values(cluster.workers ?? {})) {
    if (worker?.process.pid !== undefined) ms += cpuMs(worker.process.pid);
  }
  return ms;
}

function report(isIdle = false): void {
  const message: ServerReport = {
    port: Number(new URL(server.url).port),
    path: "/ws",
    headers: { authorization: `Bearer ${token}` },
    subscribe: JSON.stringify({ type: "subscribe", events: ["GPU_*"] }),
    published: source.published,
    servedMs: source.takeServedMs(),
    ...usage(isIdle),
  };
  process.send?.({ ...message, cpuMs: message.cpuMs + workersCpuMs() });
}

async function obeyParent(): Promise<void> {
  process.on("message", (message) => {
    source.obey(message);
    report(message === "idle");
  });
  process.on("disconnect", () => {
    source.obey("stop");
    void server.close().then(async () => {
      await rm(dir, { recursive: true, force: true });
      process.exit(0);
    });
  });
  for (let stored = 0; stored < (options.stored ?? 0); stored += storeBatch) {
    await publish(source.events(storeBatch));
  }
  // What storing leaves behind is not to be collected while something is measured.
  report((options.stored ?? 0) > 0);
}

if (!isWorker()) await obeyParent();
