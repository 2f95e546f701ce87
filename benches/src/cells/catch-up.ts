// A client that was away for a million events comes back: how fast it catches up, and what the live ones feel of it.
// Beside it the reading of the log alone, which is the limit. There are two live loads, each with its own run without
// the one that comes back. The client that comes back stands for another machine: it yields its core to the live ones.

import { median, pause, percentile, ratioOf, type Cell, type Column, type Figures } from "../cell.js";
import { PinnedChild } from "../child.js";
import { clientCore, serverCore, startServer } from "../contenders.js";
import { cpuPercents, startPair, type Pair } from "../fan-out-run.js";
import type { LogReaderOptions, LogReaderReport } from "../log-reader.js";
import type { Received } from "../seq-check.js";
import type { ServerOptions, ServerReport } from "../server-report.js";
import type { SlowClientOptions, SlowReport } from "../slow-client.js";

const stored = 1_000_000;
const liveCount = 500;
/** Events a second to the live ones: a load that leaves room, and one that takes three quarters of a core by itself. */
const rates = { easy: 25, hard: 100 } as const;
type Rate = (typeof rates)[keyof typeof rates];
const warmUpMs = 1500;
const pollMs = 20;
const caughtUpMs = 60_000;

const rows = {
  log: "the log read alone",
  alone: "catching up alone",
  easyLive: "500 live ones at 25 events/s",
  easyBoth: "catching up beside 500 at 25 events/s",
  hardLive: "500 live ones at 100 events/s",
  hardBoth: "catching up beside 500 at 100 events/s",
} as const;

const columns: readonly Column[] = [
  { figure: "eventsPerS", title: "caught up, events/s" },
  { figure: "p50Ms", title: "live p50 ms", digits: 1 },
  { figure: "p99Ms", title: "live p99 ms", digits: 1 },
  { figure: "servedP99Ms", title: "served p99 ms", digits: 1 },
  { figure: "serverCpuPercent", title: "server CPU %" },
  { figure: "cpuUsPerEvent", title: "server CPU µs an event", digits: 2 },
  { figure: "clientCpuPercent", title: "live clients CPU %" },
];

function sourceOf(perSecond: Rate): ServerOptions {
  // Those who catch up answer no pings.
  return { perSecond, stored, settings: { heartbeat: { max_missed: 100 } } };
}

async function readLog(): Promise<Figures> {
  const options: LogReaderOptions = { stored };
  await using reader = new PinnedChild<LogReaderReport>("log-reader.js", options, serverCore);
  await reader.next();
  const { eventsPerS } = await reader.ask("read");
  return { eventsPerS };
}

/** @throws unless everything came once and in order */
function expectComplete({ breaks, gaps, firstSeq, isLive, isClosed }: Received): void {
  if (breaks === 0 && gaps === 0 && firstSeq === 1 && isLive && !isClosed) return;
  throw new Error(`caught up with ${JSON.stringify({ breaks, gaps, firstSeq, isLive, isClosed })}`);
}

/** One client resumes from the beginning; events a second until it is live. */
async function catchUp({ port, headers }: ServerReport): Promise<{ eventsPerS: number; events: number }> {
  const subscribe = JSON.stringify({ type: "subscribe", events: ["GPU_*"], since: 0 });
  const options: SlowClientOptions = { port, path: "/ws", headers, subscribe, connections: 1, bytesPerS: 0 };
  await using client = new PinnedChild<SlowReport>("slow-client.js", options, clientCore, { isBehind: true });
  await client.next();
  const startMs = performance.now();
  for (;;) {
    const { received } = await client.ask("report");
    const [one] = received;
    const elapsedMs = performance.now() - startMs;
    if (one === undefined || elapsedMs > caughtUpMs) throw new Error(`not live after ${elapsedMs} ms`);
    if (one.isLive || one.isClosed) {
      expectComplete(one);
      return { eventsPerS: one.events / (elapsedMs / 1000), events: one.events };
    }
    await pause(pollMs);
  }
}

async function alone(): Promise<Figures> {
  await using server = startServer("sluice", sourceOf(rates.easy));
  const before = await server.next();
  const { eventsPerS, events } = await catchUp(before);
  const { cpuMs } = await server.ask("report");
  return { eventsPerS, cpuUsPerEvent: (1000 * (cpuMs - before.cpuMs)) / events };
}

/** What the live ones feel while `during` runs. */
async function whileLive(pair: Pair, during: (server: ServerReport) => Promise<Figures>): Promise<Figures> {
  await pair.server.ask("start");
  await pause(warmUpMs);
  const before = await pair.begin();
  const figures = await during(before.server);
  const after = await pair.read();
  const { latenciesMs, gaps, missing } = after.client;
  return {
    ...figures,
    p50Ms: median(latenciesMs),
    p99Ms: percentile(latenciesMs, 0.99),
    servedP99Ms: percentile(after.server.servedMs ?? [], 0.99),
    gaps,
    missing,
    ...cpuPercents(before, after),
  };
}

async function liveAlone(seconds: number, rate: Rate): Promise<Figures> {
  return await beside(seconds, rate, () => pause(seconds * 1000).then(() => ({})));
}

async function bothAt(seconds: number, rate: Rate): Promise<Figures> {
  return await beside(seconds, rate, (server) => catchUp(server).then(({ eventsPerS }) => ({ eventsPerS })));
}

async function beside(
  seconds: number,
  rate: Rate,
  during: (server: ServerReport) => Promise<Figures>,
): Promise<Figures> {
  await using pair = await startPair({
    server: "sluice",
    source: sourceOf(rate),
    seconds,
    load: { connections: liveCount, isWhole: true },
  });
  return await whileLive(pair, during);
}

/** A client away for 1,000,000 events, beside 500 live ones at 25 and at 100 events/s. */
export const catchUpCell: Cell = {
  name: "catch-up",
  summary: `a client away for ${stored.toLocaleString("en")} events, beside ${liveCount} live ones`,
  columns,
  seconds: 5,
  variants: ({ seconds }) => [
    { name: rows.log, measure: readLog },
    { name: rows.alone, measure: alone },
    { name: rows.easyLive, measure: () => liveAlone(seconds, rates.easy) },
    { name: rows.easyBoth, measure: () => bothAt(seconds, rates.easy) },
    { name: rows.hardLive, measure: () => liveAlone(seconds, rates.hard) },
    { name: rows.hardBoth, measure: () => bothAt(seconds, rates.hard) },
  ],
  findings: (medians) => [
    ...ratioOf(medians, [rows.alone, rows.log], "eventsPerS", "events/s"),
    ...ratioOf(medians, [rows.easyBoth, rows.easyLive], "p99Ms", "p99 of the live ones"),
    ...ratioOf(medians, [rows.hardBoth, rows.hardLive], "p99Ms", "p99 of the live ones"),
  ],
};
