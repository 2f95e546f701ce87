// Protocol §2: pings come, missed pongs are counted at their deadline, and a dead peer is gone on time.
import { connectionsOf, eventually, mint, publish, RawClient, startServer, type Closed } from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const intervalMs = 400;
const timeoutMs = 200;
const quick = { interval_ms: intervalMs, timeout_ms: timeoutMs };
/** Two more pings, and the deadline of the third. */
const goneAfterMs = 2 * intervalMs + timeoutMs;
/** What a shared machine may be late. */
const latenessMs = 400;

describe("a client", () => {
  it("is pinged within an interval, and then every interval, with the seq up to which it has everything", async () => {
    await using server = await startServer({ heartbeat: quick });
    await using client = await RawClient.connect(server.url, { token: mint() });
    expect(await client.take()).toMatchObject({
      type: "connected",
      heartbeat: { interval_ms: intervalMs, timeout_ms: timeoutMs, max_missed: 3 },
    });
    const first = await client.next("ping", intervalMs + latenessMs);
    expect(first).toEqual({ type: "ping", timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as string, seq: 0 });
    client.send({ type: "pong", timestamp: first["timestamp"] });
    const startMs = performance.now();
    await publish(server.url, [{ event_type: "NOT_SUBSCRIBED", payload: 1 }]);
    const second = await client.next("ping", intervalMs + latenessMs);
    expect(performance.now() - startMs).toBeLessThan(intervalMs + latenessMs);
    expect(second["seq"], "nothing is promised to who subscribes to nothing").toBe(0);
    client.send({ type: "pong" });
    await client.subscribe(["SUBSCRIBED"]);
    const third = await client.next("ping", intervalMs + latenessMs);
    expect(third["seq"]).toBe(1);
  });

  it("that never answers is closed with 1000 Connection timeout after three missed pongs, on time", async () => {
    await using server = await startServer({ heartbeat: quick });
    await using client = await RawClient.connect(server.url, { token: mint() });
    await client.next("ping");
    const firstPingMs = performance.now();
    const { code, reason, atMs } = await client.closed;
    expect({ code, reason }).toEqual({ code: 1000, reason: "Connection timeout" });
    expect(atMs - firstPingMs).toBeGreaterThan(goneAfterMs - 100);
    expect(atMs - firstPingMs).toBeLessThan(goneAfterMs + latenessMs);
  });

  it("that answers lives on, and its missed pongs are forgotten with the next one that comes", async () => {
    await using server = await startServer({ heartbeat: quick });
    await using client = await RawClient.connect(server.url, { token: mint() });
    for (let round = 0; round < 3; round += 1) {
      await client.next("ping");
      await client.next("ping");
      client.send({ type: "pong" });
    }
    const shown = await eventually("the pong to be counted", async () => {
      const [connection] = await connectionsOf(server.url);
      return connection?.["missed_pongs"] === 0 ? connection : undefined;
    });
    expect(shown).toMatchObject({
      is_alive: true,
      last_ping_sent: expect.any(String) as string,
      last_pong_received: expect.any(String) as string,
    });
  });

  it("is closed with the code that is configured", async () => {
    await using server = await startServer({ heartbeat: { ...quick, max_missed: 1, close_code: 4000 } });
    await using client = await RawClient.connect(server.url, { token: mint() });
    expect(await client.closed).toMatchObject({ code: 4000, reason: "Connection timeout" });
  });

  it("may ping too, and gets its own timestamp back", async () => {
    await using server = await startServer();
    await using client = await RawClient.connect(server.url, { token: mint() });
    for (const timestamp of [5, "2026-01-01T00:00:00Z"]) {
      client.send({ type: "ping", timestamp });
      expect(await client.next("pong")).toEqual({ type: "pong", timestamp, server_time: expect.any(String) as string });
    }
  });
});

it("one dead client is closed while a living one on the same server is not", async () => {
  await using server = await startServer({ heartbeat: { interval_ms: 200, timeout_ms: 100 } });
  await using living = await RawClient.connect(server.url, { token: mint({ sub: "living" }) });
  await using dead = await RawClient.connect(server.url, { token: mint({ sub: "dead" }) });
  let ended: Closed | undefined;
  void dead.closed.then((closed) => (ended = closed));
  await living.until("the dead one to be closed", (frame) => {
    if (frame.type === "ping") living.send({ type: "pong" });
    return ended !== undefined;
  });
  expect(await connectionsOf(server.url)).toMatchObject([{ user_id: "living" }]);
});
