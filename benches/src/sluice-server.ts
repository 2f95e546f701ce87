// The whole service in a process of its own: embedded log, authentication, heartbeats, and a publisher inside.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, mintToken, settingsWith } from "@sluice/runtime";
import { createServer } from "@sluice/server";
import { benchPayload, usage, type ServerReport, type SourceOptions } from "./server-report.js";

/** Events of one publish, and publishes under way, when saturated: enough that the disk is never waited for. */
const batchEvents = 64;
const publishesAtOnce = 8;
/** Without a wait for subscribers the publisher would only fill their buffers. */
const tickMs = 10;

const source = JSON.parse(process.argv[2] ?? "{}") as SourceOptions;
const dir = await mkdtemp(join(tmpdir(), "sluice-bench-"));
const secret = "a secret of thirty-two bytes at least";
const settings = settingsWith({
  server: { port: 0, drain_ms: 0 },
  log: { dir, retention: { max_events: 200_000 } },
  auth: { hs256_secret: secret },
});
const server = await createServer({ settings, logger: createLogger({ level: "warn", service: "bench" }) });
const token = await mintToken(secret, { sub: "bench", ttlMs: 3_600_000 });
let published = 0;
let isRunning = false;

function events(count: number): unknown[] {
  return Array.from({ length: count }, () => ({
    event_type: "GPU_UPDATE",
    cluster_id: "c-1",
    payload: benchPayload(),
  }));
}

async function saturate(): Promise<void> {
  while (isRunning) {
    const outcome = await server.publish(events(batchEvents));
    if (outcome.outcome !== "accepted") throw new Error(`publish: ${outcome.outcome}`);
    published += batchEvents;
  }
}

async function atRate(perSecond: number): Promise<void> {
  const startMs = performance.now();
  let sent = 0;
  while (isRunning) {
    const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond);
    // One by one, as they would come from publishers.
    for (; sent < due; sent += 1) void server.publish(events(1)).then(() => (published += 1));
    await new Promise((resolve) => setTimeout(resolve, perSecond > 1000 / tickMs ? 1 : tickMs / 2));
  }
}

function report(): void {
  const message: ServerReport = {
    port: Number(new URL(server.url).port),
    headers: { authorization: `Bearer ${token}` },
    subscribe: JSON.stringify({ type: "subscribe", events: ["GPU_*"] }),
    published,
    ...usage(),
  };
  process.send?.(message);
}

process.on("message", (message) => {
  if (message === "start" && !isRunning) {
    isRunning = true;
    if (source.perSecond === null) for (let index = 0; index < publishesAtOnce; index += 1) void saturate();
    else void atRate(source.perSecond);
  }
  if (message === "stop") isRunning = false;
  report();
});
process.on("disconnect", () => {
  isRunning = false;
  void server.close().then(async () => {
    await rm(dir, { recursive: true, force: true });
    process.exit(0);
  });
});
report();
