// Fan-out: one event stream to many subscribers, Sluice (log on) beside `ws` with one send per client, interleaved in
// one run. The machine's noise hits both alike, so what counts are the ratios.
//
//   npm run bench -- fan-out [--subscribers 1000] [--seconds 5] [--repeats 3] [--rate 100]
//
// What was learned: see docs/performance.md.

import { parseArgs } from "node:util";
import { PinnedChild } from "./child.js";
import type { LoadClientOptions, LoadReport } from "./load-client.js";
import type { ServerReport, SourceOptions } from "./server-report.js";

const serverCore = 0;
const clientCore = 1;
const warmUpMs = 1500;
/** One frame in so many is read for its latency and order; all are counted. */
const sampleEvery = 101;

export interface FanOutResult {
  readonly server: string;
  readonly deliveriesPerS: number;
  readonly cpuSPerMillion: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly gaps: number;
  readonly outOfOrder: number;
  readonly publishedPerS: number;
  readonly clientCpuShare: number;
}

const { values } = parseArgs({
  options: {
    subscribers: { type: "string", default: "1000" },
    seconds: { type: "string", default: "5" },
    repeats: { type: "string", default: "3" },
    rate: { type: "string" },
  },
});
const subscribers = Number(values.subscribers);
const seconds = Number(values.seconds);
const repeats = Number(values.repeats);
const perSecond = values.rate === undefined ? null : Number(values.rate);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function median(numbers: readonly number[]): number {
  return percentile(
    numbers.toSorted((a, b) => a - b),
    0.5,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure(name: string, script: string): Promise<FanOutResult> {
  const source: SourceOptions = { perSecond };
  await using server = new PinnedChild<ServerReport>(script, source, serverCore);
  const { port, headers, subscribe } = await server.next();
  const load: LoadClientOptions = {
    port,
    path: "/ws",
    headers,
    subscribe,
    connections: subscribers,
    sampleEvery: perSecond === null ? sampleEvery : 7,
  };
  await using client = new PinnedChild<LoadReport>("load-client.js", load, clientCore);
  await client.next();
  await server.ask("start");
  await pause(warmUpMs);
  const clientBefore = await client.ask("report");
  const serverBefore = await server.ask("report");
  const startMs = performance.now();
  await pause(seconds * 1000);
  const clientAfter = await client.ask("report");
  const serverAfter = await server.ask("report");
  const elapsedS = (performance.now() - startMs) / 1000;
  await server.ask("stop");
  const frames = clientAfter.frames - clientBefore.frames;
  const latencies = clientAfter.latenciesMs.toSorted((a, b) => a - b);
  return {
    server: name,
    deliveriesPerS: frames / elapsedS,
    cpuSPerMillion: (serverAfter.cpuMs - serverBefore.cpuMs) / 1000 / (frames / 1e6),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    gaps: clientAfter.gaps - clientBefore.gaps,
    outOfOrder: clientAfter.outOfOrder,
    publishedPerS: (serverAfter.published - serverBefore.published) / elapsedS,
    clientCpuShare: (clientAfter.cpuMs - clientBefore.cpuMs) / 1000 / elapsedS,
  };
}

const contenders = [
  { name: "ws, one send per client", script: "ws-server.js" },
  { name: "sluice, log on", script: "sluice-server.js" },
] as const;
const results = new Map<string, FanOutResult[]>(contenders.map(({ name }) => [name, []]));
for (let repeat = 1; repeat <= repeats; repeat += 1) {
  for (const { name, script } of contenders) {
    process.stderr.write(`fan-out ${repeat}/${repeats}: ${name}, ${subscribers} subscribers … `);
    const result = await measure(name, script);
    results.get(name)?.push(result);
    process.stderr.write(`${(result.deliveriesPerS / 1e6).toFixed(3)} M deliveries/s\n`);
  }
}

function summary(name: string): Omit<FanOutResult, "server"> {
  const runs = results.get(name) ?? [];
  const of = (pick: (result: FanOutResult) => number): number => median(runs.map(pick));
  return {
    deliveriesPerS: of((result) => result.deliveriesPerS),
    cpuSPerMillion: of((result) => result.cpuSPerMillion),
    p50Ms: of((result) => result.p50Ms),
    p99Ms: of((result) => result.p99Ms),
    gaps: of((result) => result.gaps),
    outOfOrder: of((result) => result.outOfOrder),
    publishedPerS: of((result) => result.publishedPerS),
    clientCpuShare: of((result) => result.clientCpuShare),
  };
}

const [plain, ours] = contenders.map(({ name }) => ({ name, ...summary(name) }));
process.stdout.write(
  "| server | deliveries/s | CPU s per 1M | p50 ms | p99 ms | gaps | out of order | events/s in | client CPU |\n",
);
process.stdout.write("|---|---|---|---|---|---|---|---|---|\n");
for (const row of [plain, ours]) {
  if (row === undefined) continue;
  const cells = [
    row.name,
    Math.round(row.deliveriesPerS).toLocaleString("en"),
    row.cpuSPerMillion.toFixed(3),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.gaps,
    row.outOfOrder,
    Math.round(row.publishedPerS).toLocaleString("en"),
    `${Math.round(row.clientCpuShare * 100)} %`,
  ];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
if (plain !== undefined && ours !== undefined) {
  process.stdout.write(`\nsluice / ws: ${(ours.deliveriesPerS / plain.deliveriesPerS).toFixed(1)}× deliveries/s, `);
  process.stdout.write(`${(ours.cpuSPerMillion / plain.cpuSPerMillion).toFixed(3)}× CPU per delivery\n`);
}
