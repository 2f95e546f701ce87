// Protocol §6: a connection lives no longer than its token, unless it brings another one in time.
import {
  connectionsOf,
  mint,
  numberedEvents,
  numberOf,
  publish,
  RawClient,
  request,
  startServer,
  type EventFrame,
  type Frame,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** What a shared machine may be late. */
const latenessMs = 500;

function expiryOf(token: string): number {
  const { exp } = JSON.parse(Buffer.from(token.split(".")[1] as string, "base64url").toString()) as { exp: number };
  return exp * 1000;
}

async function connect(token: string): Promise<RawClient> {
  const client = await RawClient.connect(server.url, { token });
  await client.next("connected");
  return client;
}

function refresh(client: RawClient, token: string): Promise<Frame> {
  return client.ask({ type: "refresh", id: "r", token });
}

it("a token of five seconds: told at once that it expires, closed with 4401 when it has", async () => {
  const token = mint({ ttlMs: 5000 });
  await using client = await connect(token);
  expect(await client.take()).toEqual({ type: "token_expiring", expires_at: new Date(expiryOf(token)).toISOString() });
  expect(await client.closed).toMatchObject({ code: 4401, reason: "Token expired" });
  const lateMs = Date.now() - expiryOf(token);
  expect(lateMs).toBeGreaterThan(-10);
  expect(lateMs).toBeLessThan(latenessMs);
  process.stdout.write(`a token of five seconds: closed with 4401 ${lateMs} ms after its expiry\n`);
});

it("a stream doesn't notice a refresh: every event once and in order, past the first expiry", async () => {
  const token = mint({ ttlMs: 2000 });
  await using client = await connect(token);
  await client.next("token_expiring");
  await client.subscribe(["GPU_UPDATE"]);
  let published = 0;
  const publishUntil = async (ms: number): Promise<void> => {
    do {
      await publish(server.url, numberedEvents(10, published));
      published += 10;
    } while (Date.now() < ms);
  };
  await publishUntil(Date.now() + 200);
  client.send({ type: "refresh", token: mint({ ttlMs: 90_000 }) });
  await publishUntil(expiryOf(token) + 500);
  const seen: number[] = [];
  const others: string[] = [];
  while (seen.length < published) {
    const frame = await client.take();
    if (frame.type === "event") seen.push(numberOf(frame as unknown as EventFrame));
    else others.push(frame.type);
  }
  expect(seen).toEqual(Array.from({ length: published }, (_, n) => n));
  expect(others).toEqual(["refreshed"]);
});

it("a refresh in time keeps the connection, with its subscriptions, past the first expiry", async () => {
  const token = mint({ ttlMs: 2000 });
  const next = mint({ ttlMs: 90_000 });
  await using client = await connect(token);
  await client.next("token_expiring");
  await client.subscribe(["GPU_UPDATE"]);
  expect(await refresh(client, next)).toEqual({
    type: "refreshed",
    id: "r",
    expires_at: new Date(expiryOf(next)).toISOString(),
  });
  await using witness = await connect(mint({ ttlMs: expiryOf(token) - Date.now() + 1000 }));
  expect(await witness.closed, "a token that expires later").toMatchObject({ code: 4401 });
  await publish(server.url, numberedEvents(1));
  expect(await client.next("event")).toMatchObject({ event_type: "GPU_UPDATE" });
});

it("a refresh needs no id", async () => {
  await using client = await connect(mint());
  client.send({ type: "refresh", token: mint() });
  expect(await client.take()).toEqual({ type: "refreshed", expires_at: expect.any(String) as string });
});

it("a ticket's connection expires with the token that the ticket was issued for", async () => {
  const token = mint({ ttlMs: 2000 });
  const { json } = await request(server.url, "/api/v1/tickets", { method: "POST", token });
  await using client = await RawClient.connect(server.url, { query: `ticket=${(json as { ticket: string }).ticket}` });
  expect(await client.closed).toMatchObject({ code: 4401 });
});

describe("a refresh with another set of rights", () => {
  it("ends just the subscriptions that it no longer allows, and says so", async () => {
    await using client = await connect(mint({ events: ["GPU_*", "ALERT"] }));
    await client.subscribe(["GPU_UPDATE", "ALERT"]);
    expect(await refresh(client, mint({ events: ["ALERT"] }))).toMatchObject({ type: "refreshed" });
    expect(await client.take()).toEqual({ type: "unsubscribed", events: ["GPU_UPDATE"], reason: "forbidden" });
    await publish(server.url, [
      { event_type: "GPU_UPDATE", payload: 1 },
      { event_type: "ALERT", payload: 2 },
    ]);
    expect(await client.next("event")).toMatchObject({ event_type: "ALERT" });
  });

  it("loses just the clusters that it no longer allows", async () => {
    await using client = await connect(mint({ sub: "by-cluster", clusters: ["c-1", "c-2", "c-3"] }));
    await client.subscribe(["GPU_UPDATE"], { clusters: ["c-1", "c-2", "c-3"] });
    await refresh(client, mint({ sub: "by-cluster", clusters: ["c-2"] }));
    const lost = await client.take();
    expect(lost).toMatchObject({ type: "unsubscribed", events: ["GPU_UPDATE"], reason: "forbidden" });
    await publish(
      server.url,
      ["c-1", "c-2", "c-3"].flatMap((cluster) => numberedEvents(1, 0, { cluster_id: cluster })),
    );
    expect(await client.next("event")).toMatchObject({ cluster_id: "c-2" });
    const shown = (await connectionsOf(server.url)).find(({ user_id: user }) => user === "by-cluster");
    expect(shown).toMatchObject({ subscriptions: [{ event: "GPU_UPDATE", clusters: ["c-2"] }] });
  });

  it("narrows and widens a subscription to all the clusters it may see", async () => {
    await using client = await connect(mint({ clusters: ["c-1"] }));
    await client.subscribe(["GPU_UPDATE"]);
    await refresh(client, mint({ clusters: ["c-2"] }));
    await publish(
      server.url,
      ["c-1", "c-2"].flatMap((cluster) => numberedEvents(1, 0, { cluster_id: cluster })),
    );
    expect(await client.next("event")).toMatchObject({ cluster_id: "c-2" });
    await refresh(client, mint());
    await publish(server.url, numberedEvents(1, 0, { cluster_id: "c-9" }));
    expect(await client.next("event")).toMatchObject({ cluster_id: "c-9" });
  });
});

describe("a refresh is refused with AUTH_FAILED, and the old token stays in force,", () => {
  const refused: readonly [string, string, string][] = [
    ["another user's", mint({ sub: "mallory" }), "another user's"],
    ["with a bad signature", mint({}, { secret: "another secret, 32 bytes long..." }), "bad_signature"],
    ["expired", mint({ ttlMs: -60_000 }), "expired"],
    ["not a token at all", "nonsense", "malformed"],
  ];
  it.each(refused)("%s", async (_what, token, why) => {
    await using client = await connect(mint());
    const answer = await refresh(client, token);
    expect(answer).toMatchObject({ type: "error", id: "r", code: "AUTH_FAILED" });
    expect(answer["message"]).toContain(why);
    expect(answer["message"]).not.toContain(token);
    await client.subscribe(["GPU_UPDATE"]);
  });

  it("so that it expires when it would have", async () => {
    const token = mint({ ttlMs: 2000 });
    await using client = await connect(token);
    await refresh(client, mint({ sub: "mallory", ttlMs: 90_000 }));
    expect(await client.closed).toMatchObject({ code: 4401 });
  });
});
