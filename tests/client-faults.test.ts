// Between a publisher and its consumers the network and the service fail in every way that we know, at random; all
// consumers get everything, in order, once. `SLUICE_FAULT_ROUNDS` (8), `SLUICE_FAULT_SEED`, `SLUICE_FAULT_STALL_MS`.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Sluice } from "@sluice/client";
import {
  eventually,
  FaultProxy,
  mint,
  numberOf,
  publisherToken,
  type Service,
  spawnService,
  within,
} from "@sluice/testkit";
import { expect, it } from "vitest";
import { WebSocket } from "ws";

const rounds = Number(process.env["SLUICE_FAULT_ROUNDS"] ?? 8);
const seed = Number(process.env["SLUICE_FAULT_SEED"] ?? Date.now() % 1_000_000);
const stallMs = Number(process.env["SLUICE_FAULT_STALL_MS"] ?? 1_000);
const consumers = 20;
const eventsPerSecond = 1_000;
const publishEveryMs = 20;
/** A round takes at least this long, so that backoff doesn't turn many faults into one long absence. */
const roundMs = 2_500;

const settings = {
  "heartbeat.interval_ms": 500,
  "heartbeat.timeout_ms": 500,
  "server.drain_ms": 500,
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** mulberry32: the same faults for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

class World {
  readonly proxy: FaultProxy;
  /** The publisher's way to the service, on which only restarts happen. */
  readonly publishProxy: FaultProxy;
  readonly logDir: string;
  service: Service;
  refusesTokens = false;

  constructor(proxy: FaultProxy, publishProxy: FaultProxy, service: Service, logDir: string) {
    this.proxy = proxy;
    this.publishProxy = publishProxy;
    this.service = service;
    this.logDir = logDir;
  }

  async restart(signal: NodeJS.Signals): Promise<void> {
    this.service.kill(signal);
    await within("the service to end", this.service.exited);
    this.service = await spawnService({ logDir: this.logDir, settings });
    this.proxy.retarget(this.service.url);
    this.publishProxy.retarget(this.service.url);
  }

  readonly faults: Readonly<Record<string, () => Promise<void>>> = {
    reset: async () => this.proxy.reset(),
    "half-open": async () => this.proxy.halfOpen(),
    stall: async () => {
      this.proxy.stall();
      await sleep(stallMs);
      this.proxy.flow();
    },
    delay: async () => {
      this.proxy.delay(50);
      await sleep(500);
      this.proxy.flow();
    },
    refused: async () => {
      await this.proxy.refuse();
      this.proxy.reset();
      await sleep(800);
      await this.proxy.accept();
    },
    "401": async () => {
      this.refusesTokens = true;
      this.proxy.reset();
      await sleep(800);
      this.refusesTokens = false;
    },
    "restart with drain": () => this.restart("SIGTERM"),
    "kill -9": () => this.restart("SIGKILL"),
  };
}

/** Everything that one consumer got. */
interface Seen {
  readonly sluice: Sluice;
  next: number;
  readonly wrong: string[];
}

function consume(world: World): Seen {
  const sluice = connect({
    url: world.proxy.url,
    WebSocket,
    token: () => (world.refusesTokens ? "refused" : mint()),
  });
  const seen: Seen = { sluice, next: 0, wrong: [] };
  const subscription = sluice.subscribe({ events: ["GPU_*"], since: 0 }, (item) => {
    if (item.type === "gap") seen.wrong.push(JSON.stringify(item));
    else {
      const n = numberOf(item);
      if (n !== seen.next) seen.wrong.push(`${n} in place of ${seen.next}`);
      seen.next = n + 1;
    }
  });
  subscription.finished?.catch((error: unknown) => seen.wrong.push(String(error)));
  return seen;
}

it(
  `${consumers} consumers of ${eventsPerSecond} events/s through ${rounds} random faults: complete, in order, once`,
  { timeout: 120_000 + rounds * 20_000 },
  async () => {
    const random = randomFrom(seed);
    const dir = await mkdtemp(join(tmpdir(), "sluice-faults-"));
    const logDir = join(dir, "log");
    const service = await spawnService({ logDir, settings });
    await using proxy = await FaultProxy.start(service.url);
    await using publishProxy = await FaultProxy.start(service.url);
    const world = new World(proxy, publishProxy, service, logDir);
    const publisher = connect({ url: publishProxy.url, WebSocket, token: () => publisherToken() });
    const all = Array.from({ length: consumers }, () => consume(world));
    const done: string[] = [];
    const story = (): string => `seed ${seed}: ${done.join(", ")}`;
    try {
      let published = 0;
      let isPublishing = true;
      const publishing = (async () => {
        const startMs = performance.now();
        while (isPublishing) {
          const due = Math.floor(((performance.now() - startMs) / 1000) * eventsPerSecond);
          const count = Math.min(500, due - published);
          if (count > 0) {
            const events = Array.from({ length: count }, (_, index) => ({
              event_type: "GPU_UPDATE",
              payload: { n: published + index },
            }));
            await publisher.publish(events);
            published += count;
          }
          await sleep(publishEveryMs);
        }
      })();
      publishing.catch((error: unknown) => all[0]?.wrong.push(String(error)));
      const names = Object.keys(world.faults);
      for (let round = 0; round < rounds; round += 1) {
        // Each kind once before chance alone decides.
        const name = names[
          round < names.length ? (round + seed) % names.length : Math.floor(random() * names.length)
        ] as string;
        done.push(name);
        const startMs = performance.now();
        await sleep(300 + random() * 700);
        const before = all.map(({ next }) => next);
        await (world.faults[name] as () => Promise<void>)();
        await eventually(
          "all consumers to go on",
          () =>
            all.every(({ next, wrong }, index) => next > (before[index] as number) || wrong.length > 0) || undefined,
          60_000,
          story,
        );
        await sleep(Math.max(0, roundMs - (performance.now() - startMs)));
      }
      isPublishing = false;
      await within("the publisher to finish", publishing, 60_000, story);
      await eventually(
        `all consumers to have ${published} events`,
        () => all.every(({ next, wrong }) => next >= published || wrong.length > 0) || undefined,
        60_000,
        () => `${story()}: ${all.map(({ next, sluice }) => `${next} ${sluice.status.state}`).join("; ")}`,
      );
      for (const { next, wrong } of all)
        expect({ next, wrong, story: story() }).toEqual({ next: published, wrong: [], story: story() });
      const counters = all.map(({ sluice }) => sluice.counters);
      const sum = (name: "connections" | "repeats" | "pages" | "overflows"): number =>
        counters.reduce((total, counter) => total + counter[name], 0);
      process.stdout.write(
        `${published} events; ${story()}; connections ${sum("connections")}, repeats ${sum("repeats")}, pages ${sum("pages")}, overflows ${sum("overflows")}\n`,
      );
    } finally {
      publisher.close();
      for (const { sluice } of all) sluice.close();
      await world.service[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
