// What the healthy see of those that don't keep up: nothing, it is hoped.

import { pause, ratioOf, type Cell, type Figures } from "../cell.js";
import { figuresBetween, startPair, untilQuiet } from "../fan-out-run.js";
import type { LoadClientOptions } from "../load-client.js";

const subscribers = 1000;
const slow = subscribers / 10;
/** 20 publishes a second, each a write to everybody: a third to a half of what a core can do, so that queues are short. */
const source = { perSecond: 200, batch: 10 } as const;
/** A third of what 200 events of 220 bytes are. */
const slowBytesPerS = 15_000;
/** So much faster for so long fills the kernel's buffers of the slow, several MiB each, and all are paused after it. */
const burstPerSecond = 6000;
const burstMs = 6000;
/** Until the collector has seen to what the burst left, ms; the healthy have read all of it before. */
const settleMs = 5000;

const rows: readonly { readonly name: string; readonly load: Partial<LoadClientOptions> }[] = [
  { name: "all read", load: {} },
  { name: "10 % read a third", load: { slow, slowBytesPerS } },
  { name: "10 % read nothing", load: { stalled: slow } },
];

async function measureSlow(load: Partial<LoadClientOptions>, seconds: number): Promise<Figures> {
  const options = { connections: subscribers, isWhole: true, ...load };
  await using pair = await startPair({ server: "sluice", source, seconds, load: options });
  await pair.server.ask({ perSecond: burstPerSecond });
  await pause(burstMs);
  await pair.server.ask("stop");
  await untilQuiet(pair.client);
  await pair.server.ask({ perSecond: source.perSecond });
  await pause(settleMs);
  const before = await pair.begin();
  await pause(seconds * 1000);
  return figuresBetween(before, await pair.read());
}

export const slowCell: Cell = {
  name: "slow",
  summary: `latency of the healthy beside ${slow} of ${subscribers} subscribers that don't keep up`,
  seconds: 8,
  columns: [
    { figure: "p50Ms", title: "healthy p50 ms", digits: 1 },
    { figure: "p99Ms", title: "healthy p99 ms", digits: 1 },
    { figure: "deliveriesPerS", title: "deliveries/s" },
    { figure: "missing", title: "missing at the healthy" },
    { figure: "serverCpuPercent", title: "server CPU %" },
    { figure: "clientCpuPercent", title: "client CPU %" },
    { figure: "rssMiB", title: "server RSS MiB" },
  ],
  variants: ({ seconds }) => rows.map(({ name, load }) => ({ name, measure: () => measureSlow(load, seconds) })),
  findings: (medians) =>
    rows.slice(1).flatMap(({ name }) => ratioOf(medians, [name, "all read"], "p99Ms", "healthy p99")),
};
