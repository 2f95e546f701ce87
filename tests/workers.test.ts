// Several processes, one service: one port, one log, one order, one set of limits, one answer to an operator.
import {
  adminToken,
  connectionsOf,
  eventually,
  metricOf,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  request,
  spawnService,
  within,
  type Service,
} from "@sluice/testkit";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";

const workers = 2;
const settings = { "limits.connections_per_user": 6, "server.drain_ms": 1000 };

let service: Service;
const clients: RawClient[] = [];
beforeEach(async () => {
  service = await spawnService({ settings, args: ["--workers", String(workers)] });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.webSocket.terminate();
  await service[Symbol.asyncDispose]();
});

async function subscriber(user = "alice"): Promise<RawClient> {
  const client = await RawClient.connect(service.url, { token: mint({ sub: user }) });
  clients.push(client);
  await client.subscribe(["*"]);
  return client;
}

/** Processes whose parent is the service. */
async function workerPids(): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "latin1").catch(() => "")));
  return pids.filter((_pid, index) => Number(stats[index]?.split(") ")[1]?.split(" ")[1]) === service.pid);
}

it("gives every subscriber everything in order, whichever worker took it in", async () => {
  const subscribers = await Promise.all(Array.from({ length: 6 }, () => subscriber()));
  const count = 3000;
  const publishes = numberedEvents(count);
  for (let start = 0; start < count; start += 100) await publish(service.url, publishes.slice(start, start + 100));
  for (const client of subscribers) {
    const events = await client.events(count);
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    expect(events.map(numberOf)).toEqual(publishes.map((_, index) => index));
  }
  // Who comes back to another worker goes on where it was, without a gap and without seeing anything twice.
  for (let round = 0; round < 6; round += 1) {
    const published = await publish(service.url, numberedEvents(1));
    const late = await RawClient.connect(service.url, { token: mint({ sub: `late-${round}` }) });
    clients.push(late);
    await late.subscribe(["*"], { since: published.last_seq });
    await late.next("live");
    await publish(service.url, numberedEvents(1));
    const [next] = await late.events(1);
    expect(next?.seq).toBe(published.last_seq + 1);
  }
});

it("answers an operator for all of them", async () => {
  const subscribers = await Promise.all(Array.from({ length: 6 }, () => subscriber()));
  const shown = await connectionsOf(service.url);
  expect(shown).toHaveLength(6);
  expect(await metricOf(service.url, "sluice_connections")).toBe(6);
  const { json } = await request(service.url, "/api/v1/subscriptions", { token: adminToken() });
  expect(json).toMatchObject({ subscriptions: [{ event: "*", connections: 6 }] });

  await publish(service.url, numberedEvents(10));
  for (const client of subscribers) await client.events(10);
  expect(await metricOf(service.url, "sluice_log_head_seq")).toBe(10);
  expect(await metricOf(service.url, "sluice_events_delivered_total")).toBe(60);

  for (const { connection_id: id } of shown) {
    const path = `/api/v1/connections/${id}`;
    expect((await request(service.url, path, { token: adminToken() })).json).toMatchObject({ connection_id: id });
    expect((await request(service.url, path, { method: "DELETE", token: adminToken() })).status).toBe(200);
  }
  for (const client of subscribers) {
    expect((await within("the close of a revocation", client.closed)).code).toBe(4403);
  }
});

it("holds the limits of a user over all of them, and uses a ticket up wherever it was issued", async () => {
  await Promise.all(Array.from({ length: 6 }, () => subscriber("bob")));
  const seventh = await RawClient.connect(service.url, { token: mint({ sub: "bob" }) });
  clients.push(seventh);
  expect((await within("the refusal", seventh.closed)).code).toBe(1013);

  for (let round = 0; round < 4; round += 1) {
    const { json } = await request(service.url, "/api/v1/tickets", { method: "POST", token: mint({ sub: "carol" }) });
    const query = `ticket=${(json as { readonly ticket: string }).ticket}`;
    const client = await RawClient.connect(service.url, { query });
    clients.push(client);
    expect(await client.next("connected")).toMatchObject({ user_id: "carol" });
    expect((await RawClient.refused(service.url, { query })).status).toBe(401);
  }
});

it("goes on when one of them is killed, and starts another", async () => {
  const [first] = await workerPids();
  const subscribers = await Promise.all(Array.from({ length: 6 }, () => subscriber()));
  process.kill(first as number, "SIGKILL");
  // How many each worker has is the kernel's and the cluster's matter: a busy one is passed over.
  await eventually("the killed worker's connections to end", () =>
    subscribers.some(({ webSocket }) => webSocket.readyState === webSocket.CLOSED) ? true : undefined,
  );
  await publish(service.url, numberedEvents(50));
  const ends = await Promise.all(
    subscribers.map((client) =>
      client.events(50).catch((error: unknown) => {
        if (client.webSocket.readyState === client.webSocket.CLOSED) return "lost" as const;
        throw error;
      }),
    ),
  );
  const kept = ends.filter((end) => end !== "lost");
  expect(kept.length, "the other worker's go on").toBeGreaterThan(0);
  for (const events of kept) expect(events).toHaveLength(50);
  await eventually("another worker", async () => {
    const pids = await workerPids();
    return pids.length === workers && !pids.includes(first as number) ? pids : undefined;
  });
  // The killed one's connections no longer count for the user's limit.
  const again = await eventually("room for the user again", async () => {
    const client = await RawClient.connect(service.url, { token: mint() });
    clients.push(client);
    const connected = await Promise.race([client.next("connected"), client.closed.then(() => undefined)]);
    return connected === undefined ? undefined : client;
  });
  await again.subscribe(["*"], { since: 0 });
  expect(await again.events(50)).toHaveLength(50);
});

it("drains all of them at one SIGTERM and ends with 0", async () => {
  const subscribers = await Promise.all(Array.from({ length: 6 }, () => subscriber()));
  await publish(service.url, numberedEvents(100));
  service.kill("SIGTERM");
  for (const client of subscribers) {
    expect(await client.events(100)).toHaveLength(100);
    expect(await client.next("disconnect")).toMatchObject({ reason: "server_shutdown" });
    expect((await within("the close of a drain", client.closed)).code).toBe(1012);
  }
  expect(await within("the service to end", service.exited)).toEqual({ code: 0, signal: null });
});
