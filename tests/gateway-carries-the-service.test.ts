// A client of the gateway sees what a client of the service sees.
import { connectionsOf, mint, publish, RawClient, request, startGateway, startServer } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: Awaited<ReturnType<typeof startServer>>;
let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  server = await startServer();
  gateway = await startGateway([server.url]);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const token = mint({ sub: "alice" });

describe("through the gateway", () => {
  it("events that are published through it reach a subscriber on it, in order", async () => {
    await using client = await RawClient.connect(gateway.url, { token, subprotocols: ["sluice.v1"] });
    expect(await client.take()).toMatchObject({ type: "connected", user_id: "alice" });
    expect(client.webSocket.protocol).toBe("sluice.v1");
    await client.subscribe(["GPU_*"]);
    const payload = "x".repeat(2_000);
    const events = Array.from({ length: 200 }, (_, n) => ({ event_type: "GPU_UPDATE", payload: { n, payload } }));
    await publish(gateway.url, events);
    const received = await client.events(events.length);
    expect(received.map(({ payload }) => (payload as { n: number }).n)).toEqual(events.map((_, n) => n));
  });

  it("options in the query reach the service, a token in it does not", async () => {
    await using client = await RawClient.connect(gateway.url, { query: `policy=replay&token=${token}&max_messages=7` });
    expect(await client.take()).toMatchObject({ policy: "replay", buffer: { max_messages: 7 } });
  });

  it("a revoked connection is closed with the service's own words", async () => {
    await using client = await RawClient.connect(gateway.url, { token });
    const connected = await client.take();
    const shown = await connectionsOf(gateway.url);
    expect(shown.map((connection) => connection.connection_id)).toContain(connected["connection_id"]);
    await request(gateway.url, `/api/v1/connections/${String(connected["connection_id"])}`, {
      method: "DELETE",
      token: mint({ sub: "root", scope: "admin" }),
    });
    expect(await client.closed).toMatchObject({ code: 4403, reason: "Revoked" });
  });
});
