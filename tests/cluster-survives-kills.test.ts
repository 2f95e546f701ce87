// Three NATS servers with three replicas, three streaming nodes, a gateway in front: the stream's leader and a node are
// killed under load, in the long form each alone before. Nothing acknowledged is lost, and every client ends with everything it subscribed
// to, once and in order. `SLUICE_CLUSTER_CLIENTS=300 SLUICE_CLUSTER_RATE=2000` for the long form.
import { setTimeout as pause } from "node:timers/promises";
import {
  eventually,
  hasNatsServer,
  mint,
  NatsCluster,
  publish,
  ResumingClient,
  spawnService,
  startGateway,
  within,
  type EventFrame,
  type Service,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const clientsMax = Number(process.env["SLUICE_CLUSTER_CLIENTS"] ?? 12);
/** Events a second, over all publishers. */
const rate = Number(process.env["SLUICE_CLUSTER_RATE"] ?? 200);
const isLong = clientsMax >= 100;
/** Under load between two kills, ms. */
const calmMs = isLong ? 3000 : 700;
const publishers = 4;
const batchMs = 100;
const retryMs = 50;
/** Each client but one watches one cluster of so many, the other one all. */
const clusters = Math.max(1, Math.floor(clientsMax / 10));
/** A new leader takes 4 to 10 s; on a loaded machine more. */
const recoveryMs = 60_000;
const stream = "SLUICE";

/** The longest time in which something that goes on did not. */
class Stall {
  longestMs = 0;
  #lastMs = performance.now();

  passed(): void {
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, now - this.#lastMs);
    this.#lastMs = now;
  }
}

/** One client, and what it has seen as little as will do. */
class Watcher {
  readonly seqs: number[] = [];
  readonly ids: string[] = [];
  readonly stall = new Stall();
  readonly client: ResumingClient;
  readonly cluster: string | undefined;

  constructor(url: string, cluster: string | undefined) {
    this.cluster = cluster;
    this.client = new ResumingClient({
      url: () => url,
      token: mint(),
      events: ["*"],
      ...(cluster === undefined ? {} : { clusters: [cluster] }),
      onEvent: (event) => this.#take(event),
    });
  }

  #take({ seq, event_id: id }: EventFrame): void {
    this.seqs.push(seq);
    if (this.cluster === undefined) this.ids.push(id);
    this.stall.passed();
  }
}

/** What is published, and what was acknowledged of it. */
class Load {
  isOver = false;
  sentAgain = 0;
  readonly acknowledged: string[] = [];
  /** Clusters by event id. */
  readonly clusterOf = new Map<string, string>();
  readonly stall = new Stall();
  readonly #url: string;
  #last = 0;

  constructor(url: string) {
    this.#url = url;
  }

  async run(publisher: number): Promise<void> {
    const count = Math.ceil((rate * batchMs) / 1000 / publishers);
    for (let batch = 0; !this.isOver; batch += 1) {
      const startMs = performance.now();
      const events = Array.from({ length: count }, (_, index) => {
        const cluster = `c-${(batch * count + index) % clusters}`;
        const id = `${publisher}-${batch}-${index}`;
        this.clusterOf.set(id, cluster);
        return { event_type: "GPU_UPDATE", cluster_id: cluster, event_id: id, payload: { n: batch } };
      });
      await this.#untilAcknowledged(events);
      this.acknowledged.push(...events.map(({ event_id: id }) => id));
      this.stall.passed();
      await pause(Math.max(0, batchMs - (performance.now() - startMs)));
    }
  }

  async #untilAcknowledged(events: readonly object[]): Promise<void> {
    for (;;) {
      try {
        const { last_seq: last } = await publish(this.#url, events);
        this.#last = Math.max(this.#last, last);
        return;
      } catch {
        this.sentAgain += 1;
        await pause(retryMs);
      }
    }
  }

  /** Resolves when `more` events were acknowledged from now on. */
  async goesOn(more: number): Promise<void> {
    const before = this.acknowledged.length;
    const isOn = (): true | undefined => (this.acknowledged.length >= before + more ? true : undefined);
    await eventually("publishing to go on", isOn, recoveryMs, () => `${this.acknowledged.length - before} events`);
  }

  get lastSeq(): number {
    return this.#last;
  }
}

function nodeSettings(nats: NatsCluster, name: string, port: number): Record<string, string | number | boolean> {
  return {
    "server.port": port,
    "log.engine": "jetstream",
    "nats.servers": nats.urls.join(","),
    "nats.node": name,
    "nats.stream": stream,
    "heartbeat.interval_ms": 1000,
  };
}

/** Kills what leads the stream; returns its index. */
async function killLeader(nats: NatsCluster): Promise<number> {
  const leader = await eventually("the stream to have a leader", () => nats.leaderOf(stream), recoveryMs);
  await nats.kill(leader);
  return leader;
}

async function revive(nats: NatsCluster, index: number): Promise<void> {
  await nats.startServer(index);
  await eventually(
    "every server to have everything",
    async () => ((await nats.isCurrent(stream)) ? true : undefined),
    recoveryMs,
  );
}

function expectComplete(watchers: readonly Watcher[], load: Load): void {
  const [wide] = watchers as [Watcher];
  expect(
    wide.seqs.findIndex((seq, index) => seq !== index + 1),
    "a hole, a repeat or disorder",
  ).toBe(-1);
  const ids = new Set(wide.ids);
  expect(ids.size, "no event is stored twice").toBe(wide.ids.length);
  expect(
    load.acknowledged.filter((id) => !ids.has(id)),
    "acknowledged and not delivered",
  ).toEqual([]);
  const seqsOf = new Map<string, number[]>();
  for (const [index, id] of wide.ids.entries()) {
    const cluster = load.clusterOf.get(id) as string;
    const seqs = seqsOf.get(cluster) ?? [];
    seqs.push(wide.seqs[index] as number);
    seqsOf.set(cluster, seqs);
  }
  for (const { seqs, cluster, client } of watchers) {
    expect(client.gaps).toEqual([]);
    expect(client.epochs.size, "one log").toBe(1);
    if (cluster !== undefined) expect(seqs.join(), `all of ${cluster}, in order`).toBe(seqsOf.get(cluster)?.join());
  }
}

// Installed by tools/install-nats.sh; without it there is nothing to try this on.
describe.runIf(hasNatsServer)("a cluster", () => {
  it("loses nothing when its leader and a node are killed", { timeout: 400_000 }, async () => {
    await using nats = await NatsCluster.start(3);
    const services: Service[] = [];
    const watchers: Watcher[] = [];
    const start = async (index: number, port = 0): Promise<void> => {
      services[index] = await spawnService({ settings: nodeSettings(nats, `node-${index}`, port) });
    };
    await start(0);
    await Promise.all([start(1), start(2)]);
    const urls = services.map(({ url }) => url);
    await using gateway = await startGateway(urls);
    const load = new Load(gateway.url);
    const killNode = async (index: number): Promise<void> => {
      const service = services[index] as Service;
      service.kill("SIGKILL");
      await service.exited;
    };
    const stalls: string[] = [];
    const note = (what: string): void => {
      const client = Math.max(...watchers.map(({ stall }) => stall.longestMs));
      stalls.push(`${what}: publish ${Math.round(load.stall.longestMs)} ms, client ${Math.round(client)} ms`);
      for (const { stall } of [load, ...watchers]) stall.longestMs = 0;
    };
    try {
      for (let n = 0; n < clientsMax; n += 1) {
        watchers.push(new Watcher(gateway.url, n === 0 ? undefined : `c-${n % clusters}`));
      }
      const subscribed = (): true | undefined =>
        watchers.every(({ client }) => client.connections > 0) ? true : undefined;
      await eventually("every client to be subscribed", subscribed, recoveryMs);
      const publishing = Array.from({ length: publishers }, (_, index) => load.run(index));
      await load.goesOn(rate);
      await pause(calmMs);
      note("before");

      if (isLong) {
        const leader = await killLeader(nats);
        await load.goesOn(rate);
        note("leader killed");
        await revive(nats, leader);
        await pause(calmMs);

        await killNode(1);
        await load.goesOn(rate);
        await pause(calmMs);
        note("node killed");
        await start(1, Number(new URL(urls[1] as string).port));
      }

      await killNode(2);
      const leader = await killLeader(nats);
      await load.goesOn(rate);
      note("both killed");
      await start(2, Number(new URL(urls[2] as string).port));
      if (isLong) await revive(nats, leader);
      await pause(calmMs);

      load.isOver = true;
      await Promise.all(publishing);
      const { lastSeq } = load;
      for (const { client } of watchers) {
        // A narrow client stands at its heartbeat's seq when nothing more is for it.
        await within(
          `a client to reach seq ${lastSeq}`,
          client.reached(lastSeq),
          recoveryMs,
          () => `${client.position}`,
        );
      }
      expectComplete(watchers, load);
      expect(load.acknowledged.length).toBeGreaterThan(rate);
      const again = `${load.sentAgain} publishes sent again`;
      process.stdout.write(
        `${clientsMax} clients, ${rate} events/s, ${load.acknowledged.length} acknowledged, ${again}; longest stalls: ${stalls.join("; ")}\n`,
      );
    } finally {
      load.isOver = true;
      await Promise.all(watchers.map(({ client }) => client[Symbol.asyncDispose]()));
      await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
    }
  });
});
