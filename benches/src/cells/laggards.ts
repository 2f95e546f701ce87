// Hundreds of clients that were away, each for another time: what live delivery feels while all of them are fed from
// the log at once, and how long that takes when each wants everything and when each wants little.

import { median, pause, percentile, ratioOf, type Cell, type Column, type Figures } from "../cell.js";
import { PinnedChild } from "../child.js";
import { clientCore } from "../contenders.js";
import { cpuPercents, startPair } from "../fan-out-run.js";
import { MemoryPeak, residentMemory } from "../resident-memory.js";
import type { Received } from "../seq-check.js";
import type { ServerOptions, ServerReport } from "../server-report.js";
import type { SlowClientOptions, SlowReport } from "../slow-client.js";

const stored = 50_000;
const laggards = 500;
const liveCount = 500;
const perSecond = 100;
/** Event types that the events go round: one of them is what a narrow subscription gets. */
const types = 100;
const warmUpMs = 1500;
const pollMs = 50;
const caughtUpMs = 120_000;
const mib = 1024 * 1024;

const rows = {
  none: "500 live ones alone",
  wide: "beside 500 laggards that want all",
  narrow: "beside 500 laggards that want 1 %",
} as const;

const columns: readonly Column[] = [
  { figure: "p50Ms", title: "live p50 ms", digits: 1 },
  { figure: "p99Ms", title: "live p99 ms", digits: 1 },
  { figure: "servedP99Ms", title: "served p99 ms", digits: 1 },
  { figure: "levelS", title: "all level after s", digits: 1 },
  { figure: "eventsPerS", title: "caught up, events/s" },
  { figure: "serverCpuPercent", title: "server CPU %" },
  { figure: "growthMiB", title: "memory growth MiB", digits: 1 },
  { figure: "missing", title: "missing" },
];

// Those who catch up answer no pings.
const source: ServerOptions = { perSecond, stored, types, settings: { heartbeat: { max_missed: 100 } } };

/** @throws unless everything came once and in order */
function expectComplete(received: readonly Received[]): void {
  const faulty = received.find(({ breaks, gaps, isLive, isClosed }) => breaks > 0 || gaps > 0 || !isLive || isClosed);
  if (faulty !== undefined) throw new Error(`a laggard caught up with ${JSON.stringify(faulty)}`);
}

/** All of them resume, each from another place of the log. */
async function catchUp({ port, headers }: ServerReport, isNarrow: boolean): Promise<Figures> {
  const subscribe = Array.from({ length: laggards }, (_, index) => {
    const since = Math.floor((stored * index) / laggards);
    return JSON.stringify({ type: "subscribe", events: [isNarrow ? `GPU_${index % types}` : "GPU_*"], since });
  });
  const options: SlowClientOptions = {
    port,
    // Under another policy one that has gone live and falls behind again gets a gap, and rightly so.
    path: "/ws?policy=replay",
    headers,
    subscribe,
    stride: isNarrow ? types : 1,
    connections: laggards,
    bytesPerS: 0,
  };
  const startMs = performance.now();
  await using clients = new PinnedChild<SlowReport>("slow-client.js", options, clientCore, { isBehind: true });
  await clients.next();
  for (;;) {
    const { received } = await clients.ask("report");
    const levelS = (performance.now() - startMs) / 1000;
    if (received.every(({ isLive, isClosed }) => isLive || isClosed) || levelS * 1000 > caughtUpMs) {
      expectComplete(received);
      return { levelS, eventsPerS: received.reduce((sum, { events }) => sum + events, 0) / levelS };
    }
    await pause(pollMs);
  }
}

async function run(seconds: number, during: (server: ServerReport) => Promise<Figures>): Promise<Figures> {
  await using pair = await startPair({
    server: "sluice",
    source,
    seconds,
    load: { connections: liveCount, isWhole: true },
  });
  await pair.server.ask("start");
  await pause(warmUpMs);
  const warm = residentMemory(pair.server.pid);
  using peak = new MemoryPeak(pair.server.pid);
  const before = await pair.begin();
  const figures = await during(before.server);
  const after = await pair.read();
  const { latenciesMs, missing } = after.client;
  return {
    ...figures,
    p50Ms: median(latenciesMs),
    p99Ms: percentile(latenciesMs, 0.99),
    servedP99Ms: percentile(after.server.servedMs ?? [], 0.99),
    missing,
    ...cpuPercents(before, after),
    growthMiB: (peak.rss - warm.rss) / mib,
  };
}

/** 500 laggards at 500 places of a log of 50,000 events, beside 500 live ones at 100 events/s. */
export const laggardsCell: Cell = {
  name: "laggards",
  summary: `${laggards} clients away for different times come back at once, beside ${liveCount} live ones`,
  columns,
  seconds: 5,
  variants: ({ seconds }) => [
    { name: rows.none, measure: () => run(seconds, async () => pause(seconds * 1000).then(() => ({}))) },
    { name: rows.wide, measure: () => run(seconds, (server) => catchUp(server, false)) },
    { name: rows.narrow, measure: () => run(seconds, (server) => catchUp(server, true)) },
  ],
  findings: (medians) => [
    ...ratioOf(medians, [rows.wide, rows.none], "p99Ms", "p99 of the live ones"),
    ...ratioOf(medians, [rows.wide, rows.none], "servedP99Ms", "p99 at the service"),
    ...ratioOf(medians, [rows.narrow, rows.none], "p99Ms", "p99 of the live ones"),
  ],
};
