// The same work on the embedded log, on one node with three NATS servers and on three nodes with them: what a publish and
// a delivery cost when the log is elsewhere. All of it shares this machine, so three nodes are no faster here; on machines
// of their own each adds its deliveries.

import { hasNatsServer, mint, NatsCluster, publisherToken, spawnService, type Service } from "@sluice/testkit";
import { PinnedChild } from "../child.js";
import { pause, percentile, type Cell, type Figures } from "../cell.js";
import type { LoadClientOptions, LoadReport } from "../load-client.js";
import type { PublishClientOptions, PublishReport } from "../publish-client.js";

const warmUpMs = 1500;
/** Over all nodes. */
const publishers = 12;
const subscribers = 60;
const batch = 100;

interface Shape {
  readonly name: string;
  readonly engine: "embedded" | "jetstream";
  readonly nodes: number;
}

const shapes: readonly Shape[] = [
  { name: "embedded, one node", engine: "embedded", nodes: 1 },
  { name: "jetstream R3, one node", engine: "jetstream", nodes: 1 },
  { name: "jetstream R3, three nodes", engine: "jetstream", nodes: 3 },
];

async function startNodes({ engine, nodes }: Shape, nats: NatsCluster | undefined, started: Service[]): Promise<void> {
  for (let index = 0; index < nodes; index += 1) {
    const jetstream = { "nats.servers": nats?.urls.join(",") ?? "", "nats.node": `node-${index}` };
    const settings = { "log.engine": engine, ...(nats === undefined ? {} : jetstream) };
    started.push(await spawnService({ settings }));
  }
}

function startLoad(services: readonly Service[]) {
  const share = (count: number): number => Math.ceil(count / services.length);
  return services.map(({ url }) => {
    const port = Number(new URL(url).port);
    const publishing: PublishClientOptions = {
      port,
      headers: { authorization: `Bearer ${publisherToken()}` },
      publishers: share(publishers),
      batch,
    };
    const reading: LoadClientOptions = {
      port,
      path: "/ws?policy=replay",
      headers: { authorization: `Bearer ${mint()}` },
      subscribe: JSON.stringify({ type: "subscribe", events: ["*"] }),
      connections: share(subscribers),
      sampleEvery: 211,
    };
    return {
      reader: new PinnedChild<LoadReport>("load-client.js", reading, null),
      startPublisher: () => new PinnedChild<PublishReport>("publish-client.js", publishing, null),
    };
  });
}

async function measure(shape: Shape, seconds: number): Promise<Figures> {
  const nats = shape.engine === "jetstream" ? await NatsCluster.start(3) : undefined;
  const services: Service[] = [];
  const readers: PinnedChild<LoadReport>[] = [];
  const writers: PinnedChild<PublishReport>[] = [];
  try {
    await startNodes(shape, nats, services);
    const loads = startLoad(services);
    readers.push(...loads.map(({ reader }) => reader));
    await Promise.all(readers.map((reader) => reader.next()));
    writers.push(...loads.map(({ startPublisher }) => startPublisher()));
    await Promise.all(writers.map((writer) => writer.next()));
    await pause(warmUpMs);
    const read = async () => ({
      frames: (await Promise.all(readers.map((reader) => reader.ask("report")))).reduce(
        (sum, one) => sum + one.frames,
        0,
      ),
      published: await Promise.all(writers.map((writer) => writer.ask("report"))),
      atMs: performance.now(),
    });
    const before = await read();
    await pause(seconds * 1000);
    const after = await read();
    const elapsedS = (after.atMs - before.atMs) / 1000;
    const requests = (reports: readonly PublishReport[]): number =>
      reports.reduce((sum, { requests: count, refused }) => sum + count - refused, 0);
    const latencies = after.published.flatMap(({ latenciesMs }) => latenciesMs);
    return {
      eventsPerS: ((requests(after.published) - requests(before.published)) * batch) / elapsedS,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      deliveriesPerS: (after.frames - before.frames) / elapsedS,
    };
  } finally {
    await Promise.all([...readers, ...writers].map((child) => child[Symbol.asyncDispose]()));
    await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
    await nats?.[Symbol.asyncDispose]();
  }
}

export const nodesCell: Cell = {
  name: "nodes",
  summary: `${batch} events a publish, ${publishers} publishers, ${subscribers} subscribers: embedded log beside NATS with 1 and 3 nodes`,
  columns: [
    { figure: "eventsPerS", title: "events/s" },
    { figure: "p50Ms", title: "ack p50 ms", digits: 1 },
    { figure: "p99Ms", title: "ack p99 ms", digits: 1 },
    { figure: "deliveriesPerS", title: "deliveries/s" },
  ],
  variants: ({ seconds }) =>
    shapes
      .filter(({ engine }) => engine === "embedded" || hasNatsServer)
      .map((shape) => ({ name: shape.name, measure: () => measure(shape, seconds) })),
};
