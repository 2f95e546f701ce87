// What the gateway lets nobody take too much of: handshakes, places, time, memory.
import {
  connectionsOf,
  eventually,
  metricOf,
  mint,
  adminToken,
  publish,
  RawClient,
  RawSocket,
  request,
  startEchoBackend,
  startGateway,
  startServer,
  upgradeRequest,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = mint({ sub: "alice" });

describe("handshakes of one address", () => {
  it("are refused past the rate with 429, before their token is looked at", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url], {
      gateway: { limits: { handshakes_per_second: 1, handshake_burst: 3 } },
    });
    const bad = mint({}, { secret: "another secret, 32 bytes long..." });
    const statuses: number[] = [];
    for (let n = 0; n < 5; n += 1) statuses.push((await RawClient.refused(gateway.url, { token: bad })).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect(await metricOf(gateway.opsUrl, 'sluice_gateway_auth_failures_total{reason="bad_signature"}')).toBe(3);
    expect(await metricOf(gateway.opsUrl, 'sluice_gateway_refused_total{reason="rate"}')).toBe(2);
  });

  it("are told apart by X-Forwarded-For only behind a trusted proxy, read from the right", async () => {
    await using echo = await startEchoBackend();
    const limits = { handshakes_per_second: 1, handshake_burst: 1 };
    const from = async (url: string, chain: string): Promise<number> => {
      await using raw = await RawSocket.connect(url);
      raw.send(upgradeRequest({ token, headers: { "X-Forwarded-For": chain } }));
      return (await raw.head()).status;
    };
    await using open = await startGateway([echo.url], { gateway: { limits } });
    expect([await from(open.url, "1.1.1.1"), await from(open.url, "2.2.2.2")]).toEqual([101, 429]);
    await using behind = await startGateway([echo.url], {
      gateway: { limits, trusted_proxies: ["127.0.0.0/8", "10.0.0.0/8"] },
    });
    const chains = ["1.1.1.1", "2.2.2.2, 10.0.0.1", "6.6.6.6, 1.1.1.1", "6.6.6.6, 2.2.2.2, 10.0.0.1"];
    const statuses: number[] = [];
    for (const chain of chains) statuses.push(await from(behind.url, chain));
    expect(statuses).toEqual([101, 101, 429, 429]);
    expect(echo.handshakes.map(({ headers }) => headers["x-forwarded-for"])).toEqual([
      "127.0.0.1",
      "1.1.1.1",
      "2.2.2.2",
    ]);
  });
});

describe("places", () => {
  it.each([
    ["in all", { connections: 2 }],
    ["of one address", { connections_per_address: 2 }],
    ["of one user", { connections_per_user: 2 }],
  ])("%s: past the limit Close 1013, and a place that is given back is free", async (_what, limits) => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url], { gateway: { limits } });
    await using first = await RawSocket.upgraded(gateway.url, { token });
    await using second = await RawSocket.upgraded(gateway.url, { token });
    {
      await using third = await RawSocket.upgraded(gateway.url, { token });
      expect(await third.closeFrame()).toEqual({ code: 1013, reason: "Try again later" });
    }
    expect(second.socket.destroyed).toBe(false);
    expect(echo.clients.size).toBe(2);
    first.reset();
    await eventually("its place to be free", () => (echo.clients.size === 1 ? true : undefined));
    await using fourth = await RawSocket.upgraded(gateway.url, { token });
    await eventually("the backend to have it", () => (echo.clients.size === 2 ? true : undefined));
    expect(fourth.socket.destroyed).toBe(false);
  });

  it("are taken by HTTP requests as well", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url], { gateway: { limits: { connections: 1 } } });
    await using only = await RawSocket.upgraded(gateway.url, { token });
    expect((await request(gateway.url, "/api/v1/events", { token })).status).toBe(503);
    expect(only.socket.destroyed).toBe(false);
  });
});

it("a Host that is not ours is refused, for the upgrade and for HTTP", async () => {
  await using echo = await startEchoBackend();
  await using gateway = await startGateway([echo.url], { gateway: { allowed_hosts: ["gate.example"] } });
  for (const [host, status] of [
    ["evil.example", 403],
    ["gate.example.evil.example", 403],
    ["GATE.example:8080", 101],
  ] as const) {
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(upgradeRequest({ token, headers: { Host: host } }));
    expect((await raw.head()).status).toBe(status);
  }
  expect((await request(gateway.url, "/api/v1/events", { token })).status).toBe(403);
});

it.each(["", "GET /ws HTTP/1.1\r\nHost: x\r\n"])(
  "a handshake that never comes whole is ended in time: %j",
  async (text) => {
    await using gateway = await startGateway(["http://127.0.0.1:1"], { gateway: { limits: { handshake_ms: 300 } } });
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(text);
    await within("the end of the connection", raw.closed, 3_000);
    expect(raw.socket.destroyed).toBe(true);
  },
);

it("a client that stops reading: the gateway holds no more than its bound, the service pauses it, others get all", async () => {
  await using server = await startServer();
  await using gateway = await startGateway([server.url]);
  await using slow = await RawClient.connect(gateway.url, { token, query: "policy=replay" });
  const connected = await slow.take();
  await slow.subscribe(["BULK"]);
  await using quick = await RawClient.connect(gateway.url, { token });
  await quick.subscribe(["BULK"]);
  slow.pause();
  const text = "x".repeat(10_000);
  const count = 4_000;
  let most = 0;
  let isPublishing = true;
  const watching = (async () => {
    while (isPublishing) {
      const { json } = await request(gateway.url, "/api/v1/tunnels", { token: adminToken() });
      const { tunnels } = json as { tunnels: { buffered_bytes: number }[] };
      most = Math.max(most, ...tunnels.map((tunnel) => tunnel.buffered_bytes));
    }
  })();
  for (let n = 0; n < count; n += 100) {
    await publish(
      gateway.url,
      Array.from({ length: 100 }, (_, i) => ({ event_type: "BULK", payload: { n: n + i, text } })),
    );
  }
  const received = await quick.events(count, 30_000);
  expect(received.map(({ payload }) => (payload as { n: number }).n)).toEqual(
    Array.from({ length: count }, (_, n) => n),
  );
  const shown = await eventually("the service to pause the slow one", async () => {
    const all = await connectionsOf(gateway.url);
    return all.find((one) => one.connection_id === connected["connection_id"] && one["paused"] === true);
  });
  expect(shown).toMatchObject({ paused: true, messages_dropped: 0 });
  isPublishing = false;
  await watching;
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(262_144);
  expect(await metricOf(gateway.opsUrl, "sluice_gateway_connections_paused")).toBe(1);
  slow.resume();
  expect((await slow.events(count, 30_000)).length).toBe(count);
});
