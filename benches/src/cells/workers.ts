// What a second worker brings. Load and service together don't fit on two cores, so it is told from CPU time: the service
// runs on one core, and what it could do on two is what two cores have, by what a delivery costs all of its processes.

import type { Cell } from "../cell.js";
import { runFanOut } from "../fan-out-run.js";

const subscribers = 1000;
/** So few that no event is joined with the next on a busy machine: that would be a cheaper delivery. */
const perSecond = 20;
const rows = [1, 2] as const;

const nameOf = (workers: number): string => (workers === 1 ? "1 process" : `${workers} workers and the log's process`);

export const workersCell: Cell = {
  name: "workers",
  summary: `${perSecond} events a second, one by one, to ${subscribers} subscribers of one process and of two workers`,
  columns: [
    { figure: "deliveriesPerS", title: "deliveries/s" },
    { figure: "cpuSPerMillion", title: "CPU s per 1M, all processes", digits: 2 },
    { figure: "p50Ms", title: "p50 ms", digits: 1 },
    { figure: "p99Ms", title: "p99 ms", digits: 1 },
    { figure: "missing", title: "missing" },
    { figure: "outOfOrder", title: "out of order" },
  ],
  variants: ({ seconds }) =>
    rows.map((workers) => ({
      name: nameOf(workers),
      measure: () =>
        runFanOut({
          server: "sluice",
          source: { perSecond, settings: { server: { workers } } },
          seconds,
          load: { connections: subscribers, isWhole: true, sampleEvery: 3 },
        }),
    })),
  findings: (medians) => {
    const [one, two] = rows.map((workers) => medians.get(nameOf(workers))?.["cpuSPerMillion"]);
    if (one === undefined || two === undefined) return [];
    const times = (rows[1] * one) / two;
    return [
      `two workers on two cores can do ${times.toFixed(2)}× one process on one: 2 × ${one.toFixed(2)} / ${two.toFixed(2)}`,
    ];
  },
};
