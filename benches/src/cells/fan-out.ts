// One stream to many: as fast as it goes, and one by one at a rate.

import { ratioOf, type Cell, type Column } from "../cell.js";
import { installed, type ContenderName } from "../contenders.js";
import { runFanOut } from "../fan-out-run.js";

const contenders: readonly ContenderName[] = ["sluice", "frames", "bun", "ws", "socket.io"];

const columns: readonly Column[] = [
  { figure: "deliveriesPerS", title: "deliveries/s" },
  { figure: "cpuSPerMillion", title: "server CPU s per 1M", digits: 3 },
  { figure: "p50Ms", title: "p50 ms", digits: 1 },
  { figure: "p99Ms", title: "p99 ms", digits: 1 },
  { figure: "missing", title: "missing" },
  { figure: "outOfOrder", title: "out of order" },
  { figure: "silent", title: "got nothing" },
  { figure: "publishedPerS", title: "events/s in" },
  { figure: "serverCpuPercent", title: "server CPU %" },
  { figure: "clientCpuPercent", title: "client CPU %" },
];

function fanOut(name: string, subscribers: number, perSecond: number | null): Cell {
  const how = perSecond === null ? "as fast as it goes" : `${perSecond} events a second, one by one`;
  return {
    name,
    summary: `one stream to ${subscribers.toLocaleString("en")} subscribers, ${how}`,
    columns,
    variants: ({ seconds }) =>
      installed(contenders).map((server) => ({
        name: server,
        measure: () =>
          runFanOut({
            server,
            source: { perSecond },
            seconds,
            isClientNative: true,
            load: { connections: subscribers, isWhole: true },
          }),
      })),
    findings: (medians) =>
      contenders
        .slice(1)
        .flatMap((peer) => [
          ...(perSecond === null ? ratioOf(medians, ["sluice", peer], "deliveriesPerS", "deliveries/s") : []),
          ...ratioOf(medians, ["sluice", peer], "cpuSPerMillion", "CPU per delivery"),
          ...(perSecond === null ? [] : ratioOf(medians, ["sluice", peer], "p99Ms", "p99")),
        ]),
  };
}

/** Saturated, 1,000 subscribers. */
export const fanOutCell = fanOut("fan-out", 1000, null);
/** Saturated, 100 subscribers. */
export const fanOutSmallCell = fanOut("fan-out-100", 100, null);
/** 100 events a second, one by one. */
export const fixedRateCell = fanOut("fixed-rate", 1000, 100);
