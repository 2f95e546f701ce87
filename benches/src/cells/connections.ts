// What connections cost that nothing is sent to: opening them, keeping them.

import { pause, ratioOf, type Cell, type Figures } from "../cell.js";
import { PinnedChild } from "../child.js";
import { clientCore, installed, startServer, type ContenderName } from "../contenders.js";
import type { LoadClientOptions, LoadReport } from "../load-client.js";
import type { ServerReport } from "../server-report.js";

const secret = "a secret of thirty-two bytes at least";
const settleMs = 2500;
/** The default of `heartbeat.interval_ms`. */
const heartbeatMs = 30_000;
/**
 * What idling costs is measured from here on: each has been pinged twice, V8 has compiled what a ping and a pong go
 * through, and has collected, once, what 9,000 handshakes have left behind (some 45 s after the last of them, for 0.4 s
 * of CPU; in a window of 30 s that alone would be 1.3 % of a core).
 */
const warmUpMs = 2 * heartbeatMs;
/** What the process does with no connection is looked at before V8 looks for what the rehearsal left behind (8 s). */
const aloneMs = 7000;
/** Enough for the memory of each to show; their CPU shows where there are thousands. */
const forMemory = 1000;
const forMemoryAndCpu = 9000;
/** Opened and closed again first, so that what is measured is connections and not the first growth of a heap. */
const rehearsal = 1000;
const stormConnections = 3000;
const stormAtOnce = 200;

async function openClient(
  report: { port: number; path: string; headers: Readonly<Record<string, string>>; subscribe: string | null },
  more: Partial<LoadClientOptions> & Pick<LoadClientOptions, "connections">,
): Promise<{ client: PinnedChild<LoadReport>; opened: LoadReport }> {
  const { port, path, headers, subscribe } = report;
  const options: LoadClientOptions = { port, path, headers, subscribe, sampleEvery: 1, ...more };
  const client = new PinnedChild<LoadReport>("load-client.js", options, clientCore);
  return { client, opened: await client.next() };
}

/** The share of a core that a server takes for so long, percent. */
async function cpuPercent(server: PinnedChild<ServerReport>, forMs: number): Promise<number> {
  const startMs = performance.now();
  const before = await server.ask("report");
  await pause(forMs);
  const after = await server.ask("report");
  return (100 * (after.cpuMs - before.cpuMs)) / (performance.now() - startMs);
}

async function measureIdle(name: ContenderName, connections: number, seconds: number): Promise<Figures> {
  const isTimed = connections >= forMemoryAndCpu;
  await using server = startServer(name, { perSecond: 1, pingIntervalMs: heartbeatMs });
  const report = await server.next();
  const { client: first } = await openClient(report, { connections: rehearsal });
  await first[Symbol.asyncDispose]();
  await pause(settleMs);
  await server.ask("idle");
  await pause(500);
  const before = await server.ask("idle");
  const aloneCpuPercent = isTimed ? await cpuPercent(server, aloneMs) : Number.NaN;
  const { client } = await openClient(report, { connections });
  await using held = client;
  await pause(settleMs);
  await server.ask("idle");
  await pause(500);
  const after = await server.ask("idle");
  const memory = {
    rssKb: (after.rssBytes - before.rssBytes) / 1024 / connections,
    heapKb: (after.heapBytes - before.heapBytes) / 1024 / connections,
  };
  if (!isTimed) return { ...memory, closed: (await held.ask("report")).closed };
  await pause(warmUpMs);
  const startMs = performance.now();
  const pingsBefore = await held.ask("report");
  const serverCpuPercent = await cpuPercent(server, seconds * 1000);
  const pingsAfter = await held.ask("report");
  const elapsedS = (performance.now() - startMs) / 1000;
  return {
    ...memory,
    serverCpuPercent,
    aloneCpuPercent,
    pingsPerS: (pingsAfter.pings - pingsBefore.pings) / elapsedS,
    closed: pingsAfter.closed,
  };
}

const idleContenders: readonly ContenderName[] = ["sluice", "ws", "frames", "bun", "socket.io"];

export const idleCell: Cell = {
  name: "idle",
  summary: "memory and CPU of connections with one subscription and heartbeats on that nothing is sent to",
  seconds: 30,
  columns: [
    { figure: "rssKb", title: "RSS KiB per connection", digits: 1 },
    { figure: "heapKb", title: "of it heap and buffers", digits: 1 },
    { figure: "serverCpuPercent", title: "server CPU %", digits: 2 },
    { figure: "aloneCpuPercent", title: "with no connection %", digits: 2 },
    { figure: "pingsPerS", title: "pings/s" },
    { figure: "closed", title: "closed" },
  ],
  variants: ({ seconds }) =>
    [forMemory, forMemoryAndCpu].flatMap((connections) =>
      installed(idleContenders).map((name) => ({
        name: `${name} ${connections}`,
        measure: () => measureIdle(name, connections, seconds),
      })),
    ),
};

async function measureStorm(name: ContenderName): Promise<Figures> {
  await using server = startServer(name, { perSecond: null, secret });
  const { port, path, subscribe } = await server.next();
  const before = await server.ask("report");
  const { client, opened } = await openClient(
    { port, path, subscribe, headers: {} },
    { connections: stormConnections, connectAtOnce: stormAtOnce, tokenSecret: secret },
  );
  await using held = client;
  const after = await server.ask("report");
  const { closed } = await held.ask("report");
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    handshakesPerS: (stormConnections * 1000) / opened.connectMs,
    cpuUs: (cpuMs * 1000) / stormConnections,
    clientCpuPercent: (100 * opened.connectCpuMs) / opened.connectMs,
    closed,
  };
}

export const connectCell: Cell = {
  name: "connect",
  summary: `${stormConnections} handshakes, each with a token of its own, ${stormAtOnce} under way at once`,
  columns: [
    { figure: "handshakesPerS", title: "handshakes/s" },
    { figure: "cpuUs", title: "server CPU µs per handshake" },
    { figure: "clientCpuPercent", title: "client CPU %" },
    { figure: "closed", title: "closed" },
  ],
  variants: () => installed(["sluice", "ws"]).map((name) => ({ name, measure: () => measureStorm(name) })),
  findings: (medians) => ratioOf(medians, ["sluice", "ws"], "cpuUs", "CPU per handshake"),
};
