// Slow consumers on policy `replay` beside healthy ones: every slow one must end with exactly what was published, in
// order, at a bounded cost in memory, and the healthy ones must not feel it.
//
// An event is as small as lets the slow ones fall behind in the service and not only in the kernel: of what they don't
// read it keeps 4 MiB for each of them by default, so that 3,000 events have to be of 3,600 bytes each, and all that is
// 2 GB to be read beside the healthy clients on the one core that both have. Few connections over a wide area have such
// buffers. `tests/hostile/fixtures/with-small-kernel-buffers.sh` gives them others, and events then have 400 bytes.

import { median, pause, percentile, ratioOf, type Cell, type Column, type Figures } from "../cell.js";
import { PinnedChild } from "../child.js";
import { clientCore } from "../contenders.js";
import { cpuPercents, startPair } from "../fan-out-run.js";
import { kernelBufferBytes } from "../kernel-buffers.js";
import { MemoryPeak, residentMemory } from "../resident-memory.js";
import type { Received } from "../seq-check.js";
import type { ServerOptions, ServerReport } from "../server-report.js";
import type { SlowClientOptions, SlowReport } from "../slow-client.js";

const slowCount = 200;
const healthyCount = 800;
/**
 * A quarter of a core for the service and for the clients: at half a core each, 400 events of 1,200 bytes a second, the
 * healthy ones' p99 without anybody slow was 31 to 39 ms in one run and the next, too far apart to compare with.
 */
const perSecond = 100;
const batch = 5;
/** A slow one reads so much of what is published. */
const slowShare = 0.1;
/** As many events wait in the service for each of the slow ones, at least: it pauses them at 800. */
const waitingEventsMin = 1500;
/** About what a status of one GPU takes as JSON. */
const eventBytesMin = 400;
const warmUpMs = 6000;
/** The load goes on for so long after the slow ones were let go, and until the last of them is level again. */
const freeMs = 6000;
const settleMs = 500;
const caughtUpMs = 120_000;
const sampleEvery = 31;
const mib = 1024 * 1024;

const rows = { without: "800 healthy ones", with: "beside 200 slow ones" } as const;

const columns: readonly Column[] = [
  { figure: "p50Ms", title: "p50 ms", digits: 1 },
  { figure: "p99Ms", title: "p99 ms", digits: 1 },
  { figure: "laggingP99Ms", title: "p99 ms while they lag", digits: 1 },
  { figure: "catchingUpP99Ms", title: "p99 ms while they catch up", digits: 1 },
  { figure: "servedP99Ms", title: "served p99 ms", digits: 1 },
  { figure: "laggingServedP99Ms", title: "while they lag", digits: 1 },
  { figure: "catchingUpServedP99Ms", title: "while they catch up", digits: 1 },
  { figure: "clientCpuPercent", title: "client CPU %" },
  { figure: "serverCpuPercent", title: "server CPU %" },
  { figure: "growthMiB", title: "memory growth MiB", digits: 1 },
  { figure: "ownGrowthMiB", title: "of it its own", digits: 1 },
  { figure: "warmGrowthMiB", title: "since warm", digits: 1 },
  { figure: "missing", title: "missing" },
  { figure: "eventBytes", title: "bytes an event" },
  { figure: "paused", title: "paused" },
  { figure: "lagEvents", title: "events behind" },
  { figure: "catchUpS", title: "level after s", digits: 1 },
  { figure: "checked", title: "deliveries checked" },
];

/** Bytes of an event, so that what the kernel keeps for a slow one leaves as much to the service as it shall have. */
function eventBytesFor(seconds: number): number {
  const unread = perSecond * seconds * (1 - slowShare);
  return Math.max(eventBytesMin, Math.ceil(kernelBufferBytes() / Math.max(1, unread - waitingEventsMin)));
}

function sourceFor(seconds: number): ServerOptions {
  // The slow ones answer no pings.
  return { perSecond, batch, eventBytes: eventBytesFor(seconds), settings: { heartbeat: { max_missed: 100 } } };
}

async function pausedNow(port: number): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^sluice_connections_paused (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** @throws unless each of the slow ones got exactly what was published */
function expectComplete(received: readonly Received[], published: number): void {
  const faulty = received.filter(
    ({ breaks, gaps, isClosed, events, firstSeq, lastSeq }) =>
      breaks > 0 || gaps > 0 || isClosed || events !== published || lastSeq - firstSeq + 1 !== published,
  );
  if (faulty.length === 0) return;
  throw new Error(
    `${faulty.length} of ${received.length} got something else than ${published} events: ${JSON.stringify(faulty[0])}`,
  );
}

/** So many events behind is not behind: the service resumes one at half of its buffer. */
const levelWithin = 500;

/** Waits until the slow ones have got about what was published; asks them, which costs the service nothing. */
async function untilLevel(slow: PinnedChild<SlowReport>, server: PinnedChild<ServerReport>): Promise<void> {
  const until = performance.now() + caughtUpMs;
  for (;;) {
    const { published } = await server.ask("report");
    await pause(settleMs);
    const { received } = await slow.ask("report");
    const isLevel = received.every(({ events, isClosed }) => events >= published - levelWithin || isClosed);
    if (isLevel || performance.now() > until) return;
  }
}

/** Waits for the last of the events; a client that misses some is found out by the check that follows. */
async function untilReceived(slow: PinnedChild<SlowReport>, published: number): Promise<readonly Received[]> {
  const until = performance.now() + caughtUpMs;
  for (;;) {
    const { received } = await slow.ask("report");
    const isOver = received.every(({ events, isClosed }) => events >= published || isClosed);
    if (isOver || performance.now() > until) return received;
    await pause(settleMs);
  }
}

async function startSlow(server: ServerReport, bytesPerS: number): Promise<PinnedChild<SlowReport>> {
  const { port, headers, subscribe } = server;
  const options: SlowClientOptions = {
    port,
    path: "/ws?policy=replay",
    headers,
    subscribe: subscribe ?? "",
    connections: slowCount,
    bytesPerS,
  };
  // They stand for other people's machines, and must not take the healthy ones' core from them.
  const slow = new PinnedChild<SlowReport>("slow-client.js", options, clientCore, { isBehind: true });
  await slow.next();
  return slow;
}

async function run(seconds: number, withSlow: boolean): Promise<Figures> {
  const source = sourceFor(seconds);
  const eventBytes = source.eventBytes ?? 0;
  await using pair = await startPair({
    server: "sluice",
    source,
    seconds,
    load: { connections: healthyCount, isWhole: true, sampleEvery },
  });
  const { server } = pair;
  const { server: start } = await pair.read();
  await using slow = withSlow ? await startSlow(start, perSecond * eventBytes * slowShare) : undefined;

  const connected = residentMemory(server.pid);
  using peak = new MemoryPeak(server.pid);
  await server.ask("start");
  await pause(warmUpMs);
  const warm = residentMemory(server.pid);
  await slow?.ask("slow");
  const before = await pair.begin();
  await pause(seconds * 1000);
  const paused = await pausedNow(start.port);
  const lagging = await pair.read();
  // Telling of 30 s takes the clients tens of ms, which are none of those who catch up.
  await pause(settleMs);
  await pair.begin();
  const behind = await slow?.ask("free");
  const freeAtMs = performance.now();
  await pause(freeMs);
  if (slow !== undefined) await untilLevel(slow, server);
  const catchUpS = (performance.now() - freeAtMs) / 1000;
  const after = await pair.read();
  await server.ask("stop");
  await pause(settleMs);
  const { published } = await server.ask("report");
  const received = slow === undefined ? [] : await untilReceived(slow, published);
  expectComplete(received, published);
  const latenciesMs = [...lagging.client.latenciesMs, ...after.client.latenciesMs];
  const least = Math.min(...(behind?.received ?? []).map(({ events }) => events));
  return {
    p50Ms: median(latenciesMs),
    p99Ms: percentile(latenciesMs, 0.99),
    laggingP99Ms: percentile(lagging.client.latenciesMs, 0.99),
    catchingUpP99Ms: percentile(after.client.latenciesMs, 0.99),
    servedP99Ms: percentile([...(lagging.server.servedMs ?? []), ...(after.server.servedMs ?? [])], 0.99),
    laggingServedP99Ms: percentile(lagging.server.servedMs ?? [], 0.99),
    catchingUpServedP99Ms: percentile(after.server.servedMs ?? [], 0.99),
    ...cpuPercents(before, after),
    missing: after.client.missing,
    eventBytes,
    growthMiB: (peak.rss - connected.rss) / mib,
    ownGrowthMiB: (peak.anonymous - connected.anonymous) / mib,
    warmGrowthMiB: (peak.rss - warm.rss) / mib,
    ...(withSlow
      ? { paused, lagEvents: lagging.server.published - least, catchUpS, checked: published * slowCount }
      : {}),
  };
}

/** 200 slow consumers on policy `replay` and 800 healthy ones. */
export const slowReplayCell: Cell = {
  name: "slow-replay",
  summary: `${slowCount} on policy replay that read at a tenth of the rate and then freely, beside ${healthyCount}`,
  columns,
  seconds: 30,
  variants: ({ seconds }) =>
    Object.values(rows).map((name) => ({ name, measure: () => run(seconds, name === rows.with) })),
  findings: (medians) => [
    ...ratioOf(medians, [rows.with, rows.without], "p99Ms", "p99 of the healthy ones"),
    ...ratioOf(medians, [rows.with, rows.without], "servedP99Ms", "p99 at the service, without the clients"),
  ],
};
