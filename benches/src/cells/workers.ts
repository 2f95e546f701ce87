// What a second worker brings, on two cores. Load and service together don't fit on them when they are full, so it is told
// from the CPU time of the service alone, at rates that leave room: one process runs on core 0; of two workers each has a
// core of its own, and the process that writes the log is with the first. Each process that has connections has as many.
// The load client is two processes, one on each core and half of all connections each, of the scheduler's idle class, so
// that it neither counts nor stands in the way.
//
// What the service could do is told twice: when the cores that it has are full, as where the scheduler moves processes to
// where there is room; and when its busiest core is, as where the log's process stays with the first worker.

import { pause, percentile, type Cell, type Figures, type Variant } from "../cell.js";
import { PinnedChild, pinTo } from "../child.js";
import { clientCore, serverCore, startServer } from "../contenders.js";
import type { LoadClientOptions, LoadReport } from "../load-client.js";
import { childrenOf, ranMs } from "../process-cpu.js";

const cores = [serverCore, clientCore] as const;
const connectedMs = 1000;
const warmUpMs = 2500;

/** Events a second, one by one, and subscribers of each process that has any: at most half of a core. */
const loads = [
  { perSecond: 20, subscribers: 1000 },
  { perSecond: 100, subscribers: 300 },
] as const;
type Load = (typeof loads)[number];

function nameOf({ perSecond, subscribers }: Load, workers: number): string {
  const who = workers === 1 ? "1 process" : `${workers} workers`;
  return `${who}, ${perSecond} events/s to ${subscribers * workers}`;
}

interface Reading {
  readonly atMs: number;
  /** Of the service's processes, by core. */
  readonly ranMs: readonly number[];
  readonly clients: readonly LoadReport[];
}

async function measureWorkers({ perSecond, subscribers }: Load, workers: number, seconds: number): Promise<Figures> {
  await using server = startServer("sluice", { perSecond, settings: { server: { workers } } });
  const { port, path, headers, subscribe } = await server.next();
  const processes = [server.pid, ...childrenOf(server.pid)].map((pid, index) => {
    const core = cores[Math.max(0, index - 1)] ?? serverCore;
    pinTo(core, pid);
    return { pid, core };
  });
  const connections = (subscribers * workers) / cores.length;
  const load: LoadClientOptions = { port, path, headers, subscribe, connections, isWhole: true, sampleEvery: 3 };
  const onCore = (core: number): PinnedChild<LoadReport> =>
    new PinnedChild<LoadReport>("load-client.js", load, core, { isBehind: true });
  await using near = onCore(serverCore);
  await near.next();
  await using far = onCore(clientCore);
  await far.next();
  await pause(connectedMs);
  await server.ask("start");
  await pause(warmUpMs);
  const read = async (): Promise<Reading> => {
    const ranOn = (core: number): number =>
      processes.reduce((sum, process) => sum + (process.core === core ? ranMs(process.pid) : 0), 0);
    return {
      atMs: performance.now(),
      ranMs: cores.map(ranOn),
      clients: [await near.ask("report"), await far.ask("report")],
    };
  };
  const before = await read();
  await pause(seconds * 1000);
  const after = await read();
  await server.ask("stop");
  return figuresOf(before, after, Math.min(workers, cores.length));
}

function figuresOf(before: Reading, after: Reading, coresHad: number): Figures {
  const sum = (reading: Reading, figure: "frames" | "missing" | "outOfOrder"): number =>
    reading.clients.reduce((total, client) => total + client[figure], 0);
  const elapsedMs = after.atMs - before.atMs;
  const frames = sum(after, "frames") - sum(before, "frames");
  const ran = after.ranMs.map((ms, index) => ms - (before.ranMs[index] ?? 0));
  const latenciesMs = after.clients.flatMap((client) => client.latenciesMs);
  const ranInAll = ran.reduce((total, ms) => total + ms, 0);
  const busiest = Math.max(...ran) / elapsedMs;
  const deliveriesPerS = (frames * 1000) / elapsedMs;
  return {
    deliveriesPerS,
    cpuSPerMillion: (ranInAll * 1000) / frames,
    busiestPercent: busiest * 100,
    fullPerS: (deliveriesPerS * coresHad * elapsedMs) / ranInAll,
    busiestFullPerS: deliveriesPerS / busiest,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    missing: sum(after, "missing") - sum(before, "missing"),
    outOfOrder: sum(after, "outOfOrder") - sum(before, "outOfOrder"),
  };
}

export const workersCell: Cell = {
  name: "workers",
  summary: "events one by one to the subscribers of one process and of two workers, on two cores",
  columns: [
    { figure: "deliveriesPerS", title: "deliveries/s" },
    { figure: "cpuSPerMillion", title: "CPU s per 1M, all processes", digits: 2 },
    { figure: "busiestPercent", title: "busiest core %", digits: 1 },
    { figure: "fullPerS", title: "deliveries/s were its cores full" },
    { figure: "busiestFullPerS", title: "were the busiest full" },
    { figure: "p50Ms", title: "p50 ms", digits: 1 },
    { figure: "p99Ms", title: "p99 ms", digits: 1 },
    { figure: "missing", title: "missing" },
    { figure: "outOfOrder", title: "out of order" },
  ],
  variants: ({ seconds }) =>
    loads.flatMap((load) =>
      [1, 2].map((workers): Variant => ({
        name: nameOf(load, workers),
        measure: () => measureWorkers(load, workers, seconds),
      })),
    ),
  findings: (medians) =>
    loads.flatMap((load) => {
      const [one, two] = [1, 2].map((workers) => medians.get(nameOf(load, workers)));
      if (one === undefined || two === undefined) return [];
      const [times, timesPinned] = ["fullPerS", "busiestFullPerS"].map((figure) =>
        ((two[figure] ?? Number.NaN) / (one[figure] ?? Number.NaN)).toFixed(2),
      );
      const kept = `${timesPinned}× where the log's process stays on the first one's core`;
      return [`at ${load.perSecond} events/s two workers can serve ${times}× what one process can, ${kept}`];
    }),
};
