// Streams of which each subscriber wants a part: its own cluster out of many, and many different subscription sets.

import type { Cell, Column } from "../cell.js";
import { runFanOut } from "../fan-out-run.js";

const eventsPerS = 20_000;
/** No more than the fewest clusters, so that a publish brings nobody two events and every delivery is a write. */
const batch = 100;

const columns: readonly Column[] = [
  { figure: "publishedPerS", title: "events/s in" },
  { figure: "deliveriesPerS", title: "events/s out" },
  { figure: "cpuUsPerEvent", title: "server CPU µs per event", digits: 1 },
  { figure: "p50Ms", title: "p50 ms", digits: 1 },
  { figure: "p99Ms", title: "p99 ms", digits: 1 },
  { figure: "outOfOrder", title: "out of order" },
  { figure: "serverCpuPercent", title: "server CPU %" },
  { figure: "clientCpuPercent", title: "client CPU %" },
];

/** Until V8 has compiled what runs often, which it does on the service's core, ms. */
const warmUpMs = 6000;

async function measureSelective(
  server: "sluice" | "frames",
  connections: number,
  seconds: number,
): Promise<Record<string, number>> {
  const subscribe = JSON.stringify({ type: "subscribe", events: ["GPU_*"], clusters: ["c-#"] });
  const figures = await runFanOut({
    server,
    source: { perSecond: eventsPerS, batch, clusters: connections },
    seconds,
    warmUpMs,
    load: { connections, subscribe, sampleEvery: 2 },
  });
  const { serverCpuPercent = 0, publishedPerS = 0 } = figures;
  return { ...figures, cpuUsPerEvent: (serverCpuPercent / publishedPerS) * 1e4 };
}

export const selectiveCell: Cell = {
  name: "selective",
  summary: `${eventsPerS} events a second in, each for the one connection that asked for its cluster`,
  columns,
  variants: ({ seconds }) =>
    [100, 1000, 9000].flatMap((connections) => [
      { name: `${connections} connections`, measure: () => measureSelective("sluice", connections, seconds) },
      // What of the growth with the number of connections is the kernel's, and Node's.
      { name: `${connections}, bare frames`, measure: () => measureSelective("frames", connections, seconds) },
    ]),
};

const sets = 50;
const types = 10;
const clusters = 20;

/** Set number `index`: two or three event names, in a few clusters or, one time in five, in all. */
function subscriptionSet(index: number): string {
  const events = [index, index + 3, index + 7].slice(0, 2 + (index % 2)).map((number) => `GPU_${number % types}`);
  const wanted = index % 5 === 0 ? [] : Array.from({ length: 4 }, (_, step) => `c-${(index + step * 3) % clusters}`);
  return JSON.stringify({ type: "subscribe", events, clusters: wanted });
}

export const mixedCell: Cell = {
  name: "mixed",
  summary: `1,000 connections with ${sets} different subscription sets, 2,000 events a second in`,
  columns: columns.map((column) =>
    column.figure === "cpuUsPerEvent"
      ? { figure: "cpuSPerMillion", title: "server CPU s per 1M events out", digits: 2 }
      : column,
  ),
  variants: ({ seconds }) => [
    {
      name: `${sets} sets`,
      measure: () =>
        runFanOut({
          server: "sluice",
          source: { perSecond: 2000, batch: 20, types, clusters },
          seconds,
          isClientNative: true,
          load: { connections: 1000, subscribe: Array.from({ length: sets }, (_, index) => subscriptionSet(index)) },
        }),
    },
  ],
};
