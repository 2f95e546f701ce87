// Durable events over HTTP, by batch size and by the number of publishers; each waits for its acknowledgement.

import { PinnedChild } from "../child.js";
import { pause, percentile, type Cell, type Figures } from "../cell.js";
import { clientCore, startServer } from "../contenders.js";
import type { PublishClientOptions, PublishReport } from "../publish-client.js";

const warmUpMs = 1000;
/** Batch size and publishers. */
const shapes = [
  [1, 1],
  [1, 64],
  [1, 256],
  [10, 64],
  [100, 16],
  [1000, 8],
  [5000, 4],
] as const;

async function measurePublish(batch: number, publishers: number, seconds: number): Promise<Figures> {
  await using server = startServer("sluice", { perSecond: null });
  const { port, headers } = await server.next();
  const options: PublishClientOptions = { port, headers, publishers, batch };
  await using client = new PinnedChild<PublishReport>("publish-client.js", options, clientCore);
  await client.next();
  await pause(warmUpMs);
  const before = await client.ask("report");
  const serverBefore = await server.ask("report");
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
    { figure: "clientCpuPercent", title: "client CPU %" },
  ],
  variants: ({ seconds }) =>
    shapes.map(([batch, publishers]) => ({
      name: `${batch} a request from ${publishers} publishers`,
      measure: () => measurePublish(batch, publishers, seconds),
    })),
};
