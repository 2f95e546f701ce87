// A consumer that is slower than the stream: memory stays bounded, nothing is lost, nobody else on the socket waits
// where the socket can't be held.
import { connect, type Sluice, type Status } from "@sluice/client";
import {
  eventually,
  heapUsedAfterCollection,
  mint,
  numberedEvents,
  numberOf,
  publish,
  spawnService,
  startServer,
  within,
} from "@sluice/testkit";
import { expect, it } from "vitest";
import { WebSocket } from "ws";

/** A socket as browsers have it: nothing can hold it. */
class BrowserLikeWebSocket {
  readonly #socket: WebSocket;

  constructor(url: string, protocols: string[]) {
    this.#socket = new WebSocket(url, protocols);
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  addEventListener(type: "message" | "error" | "close", listener: (event: object) => void): void {
    this.#socket.addEventListener(type as "message", listener);
  }

  send(data: string): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function live(sluice: Sluice): Promise<void> {
  const isLive = (): true | undefined => (sluice.status.state === "live" ? true : undefined);
  await eventually("status live", isLive, 30_000, () => JSON.stringify(sluice.status));
}

/** Waits for `count` events; as long as a busy machine may need for some fifty pages of history. */
async function has(what: string, numbers: readonly number[], count: number): Promise<void> {
  const seen = (): true | undefined => (numbers.length >= count ? true : undefined);
  await eventually(what, seen, 60_000, () => `${numbers.length} of ${count}`);
}

it("in browsers: what doesn't fit into the buffer is fetched again; a fast consumer on the same socket goes on", async () => {
  await using server = await startServer();
  using sluice = connect({ url: server.url, token: mint(), WebSocket: BrowserLikeWebSocket, bufferEvents: 100 });
  const slow: number[] = [];
  const fast: number[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  sluice.subscribe({ onGap: () => expect.unreachable() }, async (event) => {
    slow.push(numberOf(event));
    if (slow.length === 10) await held;
  });
  sluice.subscribe({ events: ["GPU_*"], onGap: () => expect.unreachable() }, (event) => fast.push(numberOf(event)));
  await live(sluice);
  const states = new Set<Status["state"]>();
  sluice.onStatus(({ state }) => states.add(state));
  const total = 5_000;
  for (let first = 0; first < total; first += 250) {
    await publish(server.url, numberedEvents(250, first));
    expect(sluice.counters.buffered).toBeLessThanOrEqual(2 * (100 + 100));
  }
  await has("the fast one to have all", fast, total);
  // Both may have fallen behind a burst, and then go on by pages: who is first is not said.
  await has("the slow one to be held", slow, 10);
  expect(sluice.counters.overflows).toBeGreaterThan(10);
  release();
  await has("the slow one to have all", slow, total);
  expect(slow).toEqual(Array.from({ length: total }, (_, n) => n));
  expect(fast).toEqual(slow);
  await live(sluice);
  expect(states).toContain("catching-up");
  expect(sluice.counters.connections).toBe(1);
}, 150_000);

it("in Node with ws: the socket is held, the server sees a consumer that lags, and nothing comes twice", async () => {
  await using service = await spawnService({ settings: { "heartbeat.interval_ms": 400, "heartbeat.timeout_ms": 400 } });
  using sluice = connect({ url: service.url, token: mint(), WebSocket });
  const seen: number[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  sluice.subscribe({ onGap: () => expect.unreachable() }, async (event) => {
    seen.push(numberOf(event));
    if (seen.length === 1) await held;
  });
  await live(sluice);
  const total = 40_000;
  const payload = "x".repeat(500);
  for (let first = 0; first < total; first += 2_000) {
    await publish(
      service.url,
      numberedEvents(2_000, first).map((event) => ({ ...event, subject: payload })),
    );
  }
  expect(sluice.status.state).toBe("lagging");
  expect(sluice.counters.buffered).toBeLessThanOrEqual(1_000);
  // Longer than the server's patience with a peer that is gone: we are not, and it hears so.
  await sleep(3_000);
  expect(sluice.counters.connections).toBe(1);
  expect(sluice.counters.events).toBeLessThan(total / 2);
  release();
  await eventually(
    "all events",
    () => (seen.length === total ? true : undefined),
    20_000,
    () => String(seen.length),
  );
  expect(seen).toEqual(Array.from({ length: total }, (_, n) => n));
  expect(sluice.counters).toMatchObject({ connections: 1, repeats: 0, overflows: 0 });
  await live(sluice);
});

it.each([
  ["with ws, whose socket is held", WebSocket],
  ["as in browsers, where none can be", BrowserLikeWebSocket],
])(
  "10 ms an event against 1,000 events/s, %s: bounded memory all the way, nothing lost",
  async (kind, Socket) => {
    const seconds = Number(process.env["SLUICE_SLOW_SECONDS"] ?? 3);
    // A process of its own, so that the memory measured is the client's.
    await using server = await spawnService();
    using sluice = connect({ url: server.url, token: mint(), WebSocket: Socket });
    let next = 0;
    let buffered = 0;
    let published = 0;
    const total = seconds * 1_000;
    const consuming = (async () => {
      for await (const event of sluice.subscribe({ onGap: () => expect.unreachable() })) {
        expect(numberOf(event)).toBe(next);
        next += 1;
        buffered = Math.max(buffered, sluice.counters.buffered);
        if (next === total) return;
        // Once all is published there is nothing to learn from waiting on.
        if (published < total) await sleep(10);
      }
    })();
    await live(sluice);
    const heapBefore = heapUsedAfterCollection();
    const startMs = performance.now();
    for (let handedIn = 0; handedIn < total; await sleep(10)) {
      const due = Math.min(total, Math.floor(performance.now() - startMs)) - handedIn;
      if (due > 0) await publish(server.url, numberedEvents(due, handedIn));
      handedIn += Math.max(0, due);
    }
    const behind = total - next;
    const heapGrowth = heapUsedAfterCollection() - heapBefore;
    published = total;
    await within("the consumer to have all", consuming, 60_000, () => String(next));
    process.stdout.write(
      `${kind}: ${total} events at 1,000/s, behind by ${behind} at the end, at most ${buffered} events in memory, ` +
        `heap grown by ${Math.round(heapGrowth / 1_024)} KiB, nothing missing\n`,
    );
    expect(behind).toBeGreaterThan(total / 2);
    expect(buffered).toBeLessThanOrEqual(1_000 + 500);
    expect(heapGrowth).toBeLessThan(16 * 1_048_576);
  },
  120_000,
);
