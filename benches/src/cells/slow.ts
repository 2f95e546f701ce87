// What the healthy see of those that don't keep up: nothing, it is hoped.

import { ratioOf, type Cell } from "../cell.js";
import { runFanOut } from "../fan-out-run.js";
import type { LoadClientOptions } from "../load-client.js";

const subscribers = 1000;
const slow = subscribers / 10;
/** 20 publishes a second, so that the sockets' buffers are full soon and the healthy are far from saturated. */
const source = { perSecond: 2000, batch: 100 } as const;
/** Until the kernel's buffers of the slow are full, ms. */
const warmUpMs = 12_000;

const rows: readonly { readonly name: string; readonly load: Partial<LoadClientOptions> }[] = [
  { name: "all read", load: {} },
  { name: "10 % read a third", load: { slow } },
  { name: "10 % read nothing", load: { stalled: slow } },
];

export const slowCell: Cell = {
  name: "slow",
  summary: `latency of the healthy beside ${slow} of ${subscribers} subscribers that don't keep up`,
  seconds: 6,
  columns: [
    { figure: "p50Ms", title: "healthy p50 ms", digits: 1 },
    { figure: "p99Ms", title: "healthy p99 ms", digits: 1 },
    { figure: "deliveriesPerS", title: "deliveries/s" },
    { figure: "missing", title: "missing at the healthy" },
    { figure: "serverCpuPercent", title: "server CPU %" },
    { figure: "clientCpuPercent", title: "client CPU %" },
    { figure: "rssMiB", title: "server RSS MiB" },
  ],
  variants: ({ seconds }) =>
    rows.map(({ name, load }) => ({
      name,
      measure: () =>
        runFanOut({
          server: "sluice",
          source,
          seconds,
          warmUpMs,
          load: { connections: subscribers, isWhole: true, ...load },
        }),
    })),
  findings: (medians) =>
    rows.slice(1).flatMap(({ name }) => ratioOf(medians, [name, "all read"], "p99Ms", "healthy p99")),
};
