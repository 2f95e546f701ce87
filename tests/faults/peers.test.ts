// Peers that are slow, stall, are cut in the middle of a frame or vanish without a word, on the client's side and on the
// backend's: whoever resumes has everything, whoever is gone is noticed, and nobody else is touched.
import {
  connectionsOf,
  eventually,
  FaultProxy,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  ResumingClient,
  startGateway,
  startServer,
  within,
  type TestServer,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const events = 400;
const batch = 20;
const pad = "x".repeat(300);
const settings = { heartbeat: { interval_ms: 300, timeout_ms: 300 } } as const;

/** Publishes in small batches, with the fault in the middle. */
async function publishAround(server: TestServer, fault: () => Promise<void> | void): Promise<void> {
  for (let first = 0; first < events; first += batch) {
    if (first === events / 2) await fault();
    const numbered = numberedEvents(batch, first).map((event) => ({ ...event, subject: pad.slice(0, 100) }));
    await publish(server.url, numbered);
  }
}

async function expectWhole(client: ResumingClient): Promise<void> {
  await within("everything", client.reached(events), 30_000, () => `seq ${client.position}`);
  expect(client.events.map(numberOf)).toEqual(Array.from({ length: events }, (_, n) => n));
  expect(client.gaps).toEqual([]);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** By name: what is done to the connections, and whether they outlive it. */
const faults: Readonly<Record<string, (proxy: FaultProxy) => Promise<void> | void>> = {
  "a delay": (proxy) => proxy.delay(30),
  "a stall of a second": (proxy) => {
    proxy.stall();
    setTimeout(() => proxy.flow(), 1_000);
  },
  "a reset": (proxy) => proxy.reset(),
  "a cut in mid-frame": async (proxy) => {
    proxy.cutAfter(1_501);
    await pause(50);
    setTimeout(() => proxy.flow(), 500);
  },
  "a slow line": (proxy) => {
    proxy.rate(20_000);
    setTimeout(() => proxy.flow(), 2_000);
  },
  silence: (proxy) => proxy.halfOpen(),
};

describe.each(["client", "backend"])("on the %s's side of the gateway", (side) => {
  it.each(Object.keys(faults))("%s: the one who resumes has everything, the other notices nothing", async (name) => {
    await using server = await startServer(settings);
    await using toBackend = await FaultProxy.start(server.url);
    await using gateway = await startGateway([side === "backend" ? toBackend.url : server.url], {
      gateway: { health: { interval_ms: 100, timeout_ms: 300 } },
    });
    await using toClient = await FaultProxy.start(gateway.url);
    const proxy = side === "client" ? toClient : toBackend;
    await using resuming = new ResumingClient({ url: () => toClient.url, token: mint(), events: ["*"] });
    await using other = await RawClient.connect(server.url, { token: mint() });
    await other.subscribe(["*"]);
    other.webSocket.on("message", (data) => {
      if ((data as Buffer).toString().includes('"type":"ping"')) other.send({ type: "pong" });
    });
    await eventually("the client to be subscribed", () => resuming.connections > 0 || undefined);
    await publishAround(server, async () => {
      await within("half of it", resuming.reached(events / 2));
      await (faults[name] as (proxy: FaultProxy) => Promise<void> | void)(proxy);
    });
    expect((await other.events(events)).map(numberOf)).toEqual(Array.from({ length: events }, (_, n) => n));
    // A peer that vanished is not known to the client either: it would notice by its own silence.
    if (name === "silence") resuming.cut();
    await expectWhole(resuming);
    const gone = async (): Promise<true | undefined> => (await connectionsOf(server.url)).length <= 2 || undefined;
    await eventually("the connections of the past to be gone", gone, 20_000);
  });
});
