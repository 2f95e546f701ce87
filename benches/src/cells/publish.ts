// Durable events over HTTP, by batch size and by the number of publishers. Each waits for its acknowledgement; in the
// last row events are due at a rate, and what they have to wait for their publisher counts.

import { PinnedChild } from "../child.js";
import { pause, percentile, type Cell, type Figures } from "../cell.js";
import { clientCore, serverCore, startServer } from "../contenders.js";
import { stolenMs } from "../process-cpu.js";
import type { PublishClientOptions, PublishReport } from "../publish-client.js";

/** Until the service's code is compiled, on the core that it runs on, and its heap has the size that it keeps. */
const warmUpMs = 6000;

interface Shape {
  /** Events of one request. */
  readonly batch: number;
  readonly publishers: number;
  /** Requests a second of all; each as soon as the one before is acknowledged where absent. */
  readonly perSecond?: number;
}

const shapes: readonly Shape[] = [
  { batch: 1, publishers: 1 },
  { batch: 1, publishers: 64 },
  { batch: 1, publishers: 256 },
  { batch: 10, publishers: 64 },
  { batch: 100, publishers: 16 },
  { batch: 250, publishers: 4 },
  { batch: 1000, publishers: 8 },
  { batch: 5000, publishers: 4 },
  { batch: 1, publishers: 64, perSecond: 3000 },
];

function nameOf({ batch, publishers, perSecond }: Shape): string {
  return perSecond === undefined
    ? `${batch} a request from ${publishers} publishers`
    : `${perSecond} a second from ${publishers} publishers`;
}

async function measurePublish(shape: Shape, seconds: number): Promise<Figures> {
  const { batch } = shape;
  await using server = startServer("sluice", { perSecond: null });
  const { port, headers } = await server.next();
  const options: PublishClientOptions = { port, headers, ...shape };
  await using client = new PinnedChild<PublishReport>("publish-client.js", options, clientCore);
  await client.next();
  await pause(warmUpMs);
  const before = await client.ask("begin");
  const serverBefore = await server.ask("report");
  const stolenBeforeMs = stolenMs(serverCore);
  const startMs = performance.now();
  await pause(seconds * 1000);
  const after = await client.ask("report");
  const serverAfter = await server.ask("report");
  const elapsedS = (performance.now() - startMs) / 1000;
  if (after.refused > 0) throw new Error(`${after.refused} publishes were refused`);
  const requests = after.requests - before.requests;
  const cpuMs = serverAfter.cpuMs - serverBefore.cpuMs;
  return {
    eventsPerS: (requests * batch) / elapsedS,
    requestsPerS: requests / elapsedS,
    p50Ms: percentile(after.latenciesMs, 0.5),
    p99Ms: percentile(after.latenciesMs, 0.99),
    cpuUsPerEvent: (cpuMs * 1000) / (requests * batch),
    serverCpuPercent: cpuMs / 10 / elapsedS,
    stolenPercent: (stolenMs(serverCore) - stolenBeforeMs) / 10 / elapsedS,
    clientCpuPercent: (after.cpuMs - before.cpuMs) / 10 / elapsedS,
  };
}

export const publishCell: Cell = {
  name: "publish",
  summary: "durable events a second over HTTP, and how long the acknowledgement takes",
  seconds: 3,
  columns: [
    { figure: "eventsPerS", title: "events/s" },
    { figure: "requestsPerS", title: "requests/s" },
    { figure: "p50Ms", title: "ack p50 ms", digits: 1 },
    { figure: "p99Ms", title: "ack p99 ms", digits: 1 },
    { figure: "cpuUsPerEvent", title: "server CPU µs per event", digits: 1 },
    { figure: "serverCpuPercent", title: "server CPU %" },
    { figure: "stolenPercent", title: "of its core taken by the host %", digits: 1 },
    { figure: "clientCpuPercent", title: "client CPU %" },
  ],
  variants: ({ seconds }) =>
    shapes.map((shape) => ({ name: nameOf(shape), measure: () => measurePublish(shape, seconds) })),
};
