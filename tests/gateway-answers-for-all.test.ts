// What only all services together know is asked of all of them: an operator at the gateway sees and ends every connection.
import {
  adminToken,
  connectionsOf,
  eventually,
  mint,
  RawClient,
  request,
  startEchoBackend,
  startGateway,
  startServer,
} from "@sluice/testkit";
import { expect, it } from "vitest";

const operator = { token: adminToken({ sub: "operator" }) };
const end = { ...operator, method: "DELETE" };
const host = (url: string): string => new URL(url).host;

/** Two services, a gateway before them, and `count` clients of each user, spread over both. */
async function startTwo(users: readonly string[], count: number) {
  const services = [await startServer(), await startServer()] as const;
  const gateway = await startGateway(services.map(({ url }) => url));
  const clients: { user: string; client: RawClient; id: string }[] = [];
  for (const user of users) {
    for (let n = 0; n < count; n += 1) {
      const client = await RawClient.connect(gateway.url, { token: mint({ sub: user }) });
      const { connection_id: id } = await client.next("connected");
      await client.subscribe([`OF_${user}`, "ALL"]);
      clients.push({ user, client, id: id as string });
    }
  }
  const dispose = async (): Promise<void> => {
    for (const { client } of clients) await client[Symbol.asyncDispose]();
    for (const part of [gateway, ...services]) await part[Symbol.asyncDispose]();
  };
  return { services, gateway, clients, [Symbol.asyncDispose]: dispose };
}

it("connections and subscriptions are those of all services", async () => {
  await using two = await startTwo(["alice", "bob"], 2);
  const { services, gateway, clients } = two;
  const { json } = await request(gateway.url, "/api/v1/connections", operator);
  const { connections, unreachable } = json as { connections: Record<string, unknown>[]; unreachable: unknown };
  expect(new Set(connections.map(({ connection_id: id }) => id))).toEqual(new Set(clients.map(({ id }) => id)));
  expect(new Set(connections.map(({ backend }) => backend))).toEqual(new Set(services.map(({ url }) => host(url))));
  expect(unreachable).toEqual([]);
  for (const { id, user } of clients) {
    const shown = await request(gateway.url, `/api/v1/connections/${id}`, operator);
    expect(shown).toMatchObject({ status: 200, json: { connection_id: id, user_id: user } });
  }
  expect((await request(gateway.url, "/api/v1/subscriptions", operator)).json).toEqual({
    subscriptions: expect.arrayContaining([
      { event: "ALL", connections: 4 },
      { event: "OF_alice", connections: 2 },
      { event: "OF_bob", connections: 2 },
    ]) as unknown,
    lanes: 4,
    unreachable: [],
  });
});

it("one connection is ended wherever it is, and a user's are ended everywhere", async () => {
  await using two = await startTwo(["alice", "bob"], 3);
  const { gateway, clients } = two;
  const [first, ...rest] = clients;
  if (first === undefined) throw new Error("no client");
  expect(await request(gateway.url, `/api/v1/connections/${first.id}`, end)).toMatchObject({
    status: 200,
    json: { closed: 1 },
  });
  expect(await first.client.closed).toMatchObject({ code: 4403, reason: "Revoked" });
  await eventually("it to be gone", async () =>
    (await request(gateway.url, `/api/v1/connections/${first.id}`, end)).status === 404 ? true : undefined,
  );
  expect(await request(gateway.url, "/api/v1/users/bob/connections", end)).toMatchObject({
    status: 200,
    json: { closed: 3 },
  });
  const [alices, bobs] = ["alice", "bob"].map((name) => rest.filter(({ user }) => user === name));
  for (const { client } of bobs ?? []) expect(await client.closed).toMatchObject({ code: 4403 });
  const left = await connectionsOf(gateway.url);
  expect(new Set(left.map(({ connection_id: id }) => id))).toEqual(new Set(alices?.map(({ id }) => id)));
});

it("a service that does not answer is named, and a user's end is then no success", async () => {
  await using two = await startTwo(["alice"], 2);
  const { gateway, services } = two;
  await services[1].close();
  const missing = { backend: host(services[1].url), reason: "unreachable" };
  const { json } = await request(gateway.url, "/api/v1/connections", operator);
  expect(json).toMatchObject({ connections: [{ user_id: "alice" }], unreachable: [missing] });
  const ended = await request(gateway.url, "/api/v1/users/alice/connections", end);
  expect(ended).toMatchObject({
    status: 502,
    json: { detail: `Closed 1; no answer from ${missing.backend} (unreachable)` },
  });
  const nowhere = await request(gateway.url, "/api/v1/connections/00000000-0000-4000-8000-000000000000", end);
  expect(nowhere.status).toBe(502);
  await services[0].close();
  expect((await request(gateway.url, "/api/v1/connections", operator)).status).toBe(503);
});

it("one that has left the list is asked as long as somebody is connected to it", async () => {
  await using two = await startTwo(["alice"], 2);
  const { gateway, services, settings } = { ...two, settings: two.gateway.settings };
  gateway.reload({ ...settings, gateway: { ...settings.gateway, upstreams: [services[0].url] } });
  expect((await connectionsOf(gateway.url)).length).toBe(2);
  expect((await request(gateway.url, "/api/v1/users/alice/connections", end)).json).toEqual({ closed: 2 });
});

it("is for operators", async () => {
  await using echo = await startEchoBackend();
  await using gateway = await startGateway([echo.url]);
  for (const path of ["connections", "connections/x", "subscriptions"]) {
    const token = mint({ sub: "alice" });
    expect((await request(gateway.url, `/api/v1/${path}`, { token })).status).toBe(403);
    expect((await request(gateway.url, `/api/v1/${path}`)).status).toBe(401);
  }
  // A backend that is no Sluice.
  expect((await request(gateway.url, "/api/v1/connections", operator)).status).toBe(503);
});
