// SIGTERM ends the service without losing anybody: clients are told when to come back, and everything is written.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  eventually,
  mint,
  numberedEvents,
  publish,
  publisherToken,
  RawClient,
  request,
  spawnService,
  startServer,
  within,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const drainMs = 1500;

/** More than two kernels hold for one connection, 20 times. */
function paddedEvents(first: number): object[] {
  return numberedEvents(1000, first).map((event) => ({ ...event, payload: { padding: "x".repeat(500) } }));
}

it("SIGTERM: not ready, disconnect frames with spread, Close 1012, exit code 0, nothing lost", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-drain-"));
  const logDir = join(dir, "log");
  try {
    await using service = await spawnService({ logDir, settings: { "server.drain_ms": drainMs } });
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => RawClient.connect(service.url, { token: mint() })),
    );
    await Promise.all(clients.map((client) => client.subscribe(["*"])));
    expect((await request(service.url, "/readyz")).status).toBe(200);
    await publish(service.url, numberedEvents(1000));
    service.kill("SIGTERM");
    const startMs = performance.now();
    await eventually("readyz to say that the service drains", async () => {
      const { status } = await request(service.url, "/readyz");
      return status === 503 ? status : undefined;
    });
    const { status } = await request(service.url, "/api/v1/events", {
      method: "POST",
      token: publisherToken(),
      body: "{}",
    });
    expect(status).toBe(503);
    expect((await RawClient.refused(service.url, { token: mint() })).status).toBe(503);

    const waits: number[] = [];
    for (const client of clients) {
      expect((await client.events(1000)).length, "what was accepted before comes first").toBe(1000);
      const frame = await client.next("disconnect");
      expect(frame).toMatchObject({ reason: "server_shutdown", reconnect_after_ms: expect.any(Number) as number });
      waits.push(frame["reconnect_after_ms"] as number);
    }
    expect(new Set(waits).size, "each client has a time of its own").toBe(clients.length);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(drainMs);

    const closes = await Promise.all(clients.map(({ closed }) => within("the close of a drain", closed)));
    for (const close of closes) expect(close).toMatchObject({ code: 1012, reason: "Service restart" });
    const atMs = closes.map((close) => close.atMs).sort((a, b) => a - b);
    expect((atMs.at(-1) as number) - (atMs[0] as number), "closes are spread too").toBeGreaterThan(drainMs / 4);
    expect(await within("the process to end", service.exited)).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan(drainMs + 2000);

    await using next = await spawnService({ logDir });
    await using client = await RawClient.connect(next.url, { token: mint() });
    client.send({ type: "subscribe", id: "s", events: ["*"], since: 0 });
    expect((await client.events(1000)).length).toBe(1000);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

it("a client that reads nothing doesn't hold up the end", async () => {
  await using service = await spawnService({ settings: { "server.drain_ms": 200 } });
  await using stalled = await RawClient.connect(service.url, { token: mint(), query: "policy=replay" });
  await stalled.subscribe(["*"]);
  stalled.pause();
  for (let first = 0; first < 20_000; first += 1000) await publish(service.url, paddedEvents(first));
  service.kill("SIGTERM");
  expect(await within("the process to end", service.exited, 6000)).toEqual({ code: 0, signal: null });
});

it("a second signal ends the process at once", async () => {
  await using service = await spawnService({ settings: { "server.drain_ms": 30_000 } });
  await using client = await RawClient.connect(service.url, { token: mint() });
  await using other = await RawClient.connect(service.url, { token: mint() });
  service.kill("SIGTERM");
  await client.next("disconnect");
  service.kill("SIGTERM");
  expect(await within("the process to end", service.exited, 2000)).toMatchObject({ code: 143 });
  await other.closed;
});

it("a drain with nobody connected ends the process at once", async () => {
  await using service = await spawnService({ settings: { "server.drain_ms": 30_000 } });
  service.kill("SIGINT");
  expect(await within("the process to end", service.exited, 5000)).toEqual({ code: 0, signal: null });
});

it("a client that reads nothing delays a drain by no more than its budget", async () => {
  await using server = await startServer({ server: { drain_ms: 600 } });
  await using stuck = await RawClient.connect(server.url, { token: mint(), query: "policy=replay" });
  await stuck.subscribe(["*"]);
  stuck.pause();
  const large = { event_type: "GPU_UPDATE", payload: "x".repeat(1500) };
  await publish(
    server.url,
    Array.from({ length: 8000 }, () => large),
  );
  const startMs = performance.now();
  await within("the drain", server.drain());
  expect(performance.now() - startMs).toBeLessThan(600 + 4000);
});
