// Protocol §8: what an operator sees of the connections, and ends.
import {
  adminToken,
  connectionsOf,
  eventually,
  mint,
  numberedEvents,
  publish,
  publisherToken,
  RawClient,
  request,
  startServer,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const operator = { token: adminToken({ sub: "operator" }) };
const text = expect.any(String) as string;
const number = expect.any(Number) as number;

async function connect(
  sub: string,
): Promise<{ client: RawClient; id: string; [Symbol.asyncDispose](): Promise<void> }> {
  const client = await RawClient.connect(server.url, { token: mint({ sub }) });
  const { connection_id: id } = await client.next("connected");
  return { client, id: id as string, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

it("a connection is shown with its state, its subscriptions and its consumer metrics", async () => {
  await using alice = await connect("alice");
  await alice.client.subscribe(["GPU_*"], { clusters: ["c-2", "c-1"] });
  await publish(server.url, numberedEvents(10));
  await alice.client.events(10);
  const { status, json } = await request(server.url, `/api/v1/connections/${alice.id}`, operator);
  expect(status).toBe(200);
  expect(json).toMatchObject({
    connection_id: alice.id,
    user_id: "alice",
    connected_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    last_ping_sent: null,
    last_pong_received: null,
    missed_pongs: 0,
    is_alive: true,
    subscriptions: [{ event: "GPU_*", clusters: ["c-1", "c-2"] }],
    policy: "drop-oldest",
    paused: false,
    buffer_size: 0,
    max_buffer_size: 1000,
    messages_sent: 10,
    messages_dropped: 0,
    last_send_time: text,
    average_latency_ms: number,
    lag_ms: 0,
    remote_address: "127.0.0.1",
  });
  expect(await connectionsOf(server.url)).toMatchObject([{ connection_id: alice.id, messages_sent: 10 }]);
});

it("a connection that has gone is not shown", async () => {
  const { client, id } = await connect("gone");
  client.webSocket.close();
  await client.closed;
  await eventually("the connection to be forgotten", async () => {
    const { status } = await request(server.url, `/api/v1/connections/${id}`, operator);
    return status === 404 ? status : undefined;
  });
  expect((await connectionsOf(server.url)).filter(({ user_id: user }) => user === "gone")).toEqual([]);
});

it("DELETE of a connection closes it with 4403 Revoked, and no other", async () => {
  await using first = await connect("bob");
  await using second = await connect("bob");
  const path = `/api/v1/connections/${first.id}`;
  expect(await request(server.url, path, { ...operator, method: "DELETE" })).toMatchObject({
    status: 200,
    json: { closed: 1 },
  });
  expect(await first.client.closed).toMatchObject({ code: 4403, reason: "Revoked" });
  second.client.send({ type: "ping" });
  await second.client.next("pong");
  await eventually("the first to be gone", async () => {
    const { status } = await request(server.url, path, { ...operator, method: "DELETE" });
    return status === 404 ? status : undefined;
  });
});

it("DELETE of a user's connections closes all of them, and nobody else's", async () => {
  await using first = await connect("carol/ops@example");
  await using second = await connect("carol/ops@example");
  await using other = await connect("dave");
  const path = `/api/v1/users/${encodeURIComponent("carol/ops@example")}/connections`;
  expect(await request(server.url, path, { ...operator, method: "DELETE" })).toMatchObject({
    status: 200,
    json: { closed: 2 },
  });
  for (const { client } of [first, second])
    expect(await client.closed).toMatchObject({ code: 4403, reason: "Revoked" });
  other.client.send({ type: "ping" });
  await other.client.next("pong");
  const again = await request(server.url, "/api/v1/users/nobody/connections", { ...operator, method: "DELETE" });
  expect(again).toMatchObject({ status: 200, json: { closed: 0 } });
});

it("subscriptions are counted by event name", async () => {
  await using first = await connect("erin");
  await using second = await connect("erin");
  await first.client.subscribe(["A", "B*"]);
  await second.client.subscribe(["A"]);
  const { json } = await request(server.url, "/api/v1/subscriptions", operator);
  expect(json).toMatchObject({
    subscriptions: [
      { event: "A", connections: 2 },
      { event: "B*", connections: 1 },
    ],
  });
});

describe("without the scope admin", () => {
  const paths: readonly [string, string][] = [
    ["GET", "/api/v1/connections"],
    ["GET", "/api/v1/connections/some-id"],
    ["DELETE", "/api/v1/connections/some-id"],
    ["DELETE", "/api/v1/users/alice/connections"],
    ["GET", "/api/v1/subscriptions"],
  ];
  it.each(paths)("%s %s answers 401 to nobody and 403 to everybody else", async (method, path) => {
    const nobody = await request(server.url, path, { method });
    expect(nobody).toMatchObject({ status: 401, json: { type: "urn:sluice:problem:authentication-required" } });
    expect(nobody.headers.get("www-authenticate")).toBe("Bearer");
    for (const token of [mint(), publisherToken(), mint({ scope: "administrator admin:read" })]) {
      const refused = await request(server.url, path, { method, token });
      expect(refused).toMatchObject({
        status: 403,
        json: { type: "urn:sluice:problem:insufficient-scope", scope: "admin" },
      });
      expect(refused.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
    }
  });
});

it("livez and readyz answer anybody", async () => {
  for (const path of ["/livez", "/readyz"]) {
    expect(await request(server.url, path)).toMatchObject({ status: 200, json: { status: "ok" } });
  }
});

it("livez, readyz and metrics are on a listener of their own where one is configured, and only there", async () => {
  await using apart = await startServer({ server: { ops_port: 0 } });
  expect(apart.opsUrl).not.toBe(apart.url);
  for (const path of ["/livez", "/readyz", "/metrics"]) {
    expect((await request(apart.opsUrl, path)).status).toBe(200);
    expect((await request(apart.url, path)).status).toBe(404);
  }
  expect((await request(apart.opsUrl, "/api/v1/connections", operator)).status).toBe(404);
});
