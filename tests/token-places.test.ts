// Protocol §1: the four places of a token, what is answered to a bad one, and what is echoed.
import {
  ManualClock,
  mint,
  RawClient,
  RawSocket,
  request,
  startServer,
  upgradeRequest,
  type ConnectOptions,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const k8sPrefix = "base64url.bearer.authorization.k8s.io.";
const token = mint({ sub: "alice" });
const inK8sForm = k8sPrefix + Buffer.from(token).toString("base64url");

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer({ server: { allowed_origins: ["https://app.example"] } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

async function issueTicket(): Promise<string> {
  const { status, json, headers } = await request(server.url, "/api/v1/tickets", { method: "POST", token });
  expect(status).toBe(200);
  expect(headers.get("cache-control")).toBe("no-store");
  expect(json).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/) as string, expires_in_ms: 30_000 });
  return (json as { ticket: string }).ticket;
}

describe("a token is taken from", () => {
  const places: readonly [string, ConnectOptions, string][] = [
    ["Authorization", { token }, ""],
    ["Authorization, with sluice.v1 offered", { token, subprotocols: ["sluice.v1"] }, "sluice.v1"],
    ["Authorization, the scheme in lower case", { headers: { authorization: `bearer ${token}` } }, ""],
    ["Kubernetes' subprotocol", { subprotocols: ["sluice.v1", inK8sForm] }, "sluice.v1"],
    ["Kubernetes' subprotocol, offered first", { subprotocols: [inK8sForm, "sluice.v1"] }, "sluice.v1"],
    ["the subprotocols bearer and token", { subprotocols: ["bearer", token] }, "bearer"],
    ["the subprotocols sluice.v1, bearer and token", { subprotocols: ["sluice.v1", "bearer", token] }, "sluice.v1"],
    ["?token=", { query: `token=${token}` }, ""],
  ];
  it.each(places)("%s", async (_place, options, answered) => {
    await using client = await RawClient.connect(server.url, options);
    expect(await client.take()).toMatchObject({ type: "connected", user_id: "alice", protocol: "sluice.v1" });
    expect(client.webSocket.protocol).toBe(answered);
  });

  it("?ticket=, once", async () => {
    const query = `ticket=${await issueTicket()}`;
    {
      await using client = await RawClient.connect(server.url, { query });
      expect(await client.take()).toMatchObject({ type: "connected", user_id: "alice" });
    }
    const { status, body } = await RawClient.refused(server.url, { query });
    expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
      status: 401,
      body: { detail: "The ticket is unknown, used or expired" },
    });
  });

  it("any of them also at /api/v1/ws", async () => {
    await using client = await RawClient.connect(server.url, { token, path: "/api/v1/ws" });
    expect(await client.take()).toMatchObject({ type: "connected" });
  });

  it("Kubernetes' subprotocol alone, which is never echoed", async () => {
    await using raw = await RawSocket.connect(server.url);
    raw.send(upgradeRequest({ headers: { "Sec-WebSocket-Protocol": inK8sForm } }));
    const { status, headers } = await raw.head();
    expect(status).toBe(101);
    expect(headers.has("sec-websocket-protocol")).toBe(false);
  });
});

describe("a token in two places is refused, also when it is the same", () => {
  const doubles: readonly [string, ConnectOptions][] = [
    ["Authorization and Kubernetes' subprotocol", { token, subprotocols: ["sluice.v1", inK8sForm] }],
    ["Authorization and bearer", { token, subprotocols: ["bearer", token] }],
    ["Authorization and ?token=", { token, query: `token=${token}` }],
    ["both subprotocol forms", { subprotocols: ["bearer", token, inK8sForm] }],
    ["a subprotocol and ?token=", { subprotocols: ["bearer", token], query: `token=${token}` }],
    ["?token= twice", { query: `token=${token}&token=${token}` }],
    ["?token= and ?ticket=", { query: `token=${token}&ticket=abc` }],
  ];
  it.each(doubles)("%s", async (_places, options) => {
    const { status, body } = await RawClient.refused(server.url, options);
    expect(status).toBe(401);
    expect(JSON.parse(body)).toMatchObject({ detail: "More than one token was given" });
  });

  it("and leaves a ticket unused", async () => {
    const query = `ticket=${await issueTicket()}`;
    await RawClient.refused(server.url, { query, token });
    await using client = await RawClient.connect(server.url, { query });
    expect(await client.take()).toMatchObject({ type: "connected" });
  });
});

describe("a bad token is answered", () => {
  const bad = mint({ sub: "mallory" }, { secret: "another secret, 32 bytes long..." });

  it("without Origin by 401, a challenge and a problem", async () => {
    const { status, headers, body } = await RawClient.refused(server.url, { token: bad });
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toMatch(/^Bearer error="invalid_token"/);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body)).toEqual({
      type: "urn:sluice:problem:invalid-token",
      title: "Invalid token",
      status: 401,
      detail: "The token's signature does not verify",
    });
    expect(JSON.stringify(headers) + body).not.toContain(bad);
  });

  it("with Origin by a completed handshake and Close 1008, before any frame", async () => {
    await using client = await RawClient.connect(server.url, { token: bad, origin: "https://app.example" });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Authentication failed" });
    await expect(client.take()).rejects.toThrow("1008");
  });

  it("with Origin by the same when there is none, whatever subprotocol was offered", async () => {
    await using client = await RawClient.connect(server.url, {
      origin: "https://app.example",
      subprotocols: ["sluice.v1"],
    });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Authentication failed" });
    expect(client.webSocket.protocol).toBe("sluice.v1");
  });

  it("by 401 when there is none at all", async () => {
    const { status, headers } = await RawClient.refused(server.url);
    expect({ status, challenge: headers["www-authenticate"] }).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer error="invalid_token"/) as string,
    });
  });
});

describe("the Origin of a page", () => {
  it("is refused with 403 when it isn't allowed, whatever the token", async () => {
    const { status, body } = await RawClient.refused(server.url, { token, origin: "https://evil.example" });
    expect(status).toBe(403);
    expect(JSON.parse(body)).toMatchObject({ type: "urn:sluice:problem:forbidden", field: "Origin" });
  });

  it("is let in when it is allowed", async () => {
    await using client = await RawClient.connect(server.url, { token, origin: "https://app.example" });
    expect(await client.take()).toMatchObject({ type: "connected" });
  });

  it.each(["null", "https://app.example.evil.example", "http://app.example", "https://app.example:8443"])(
    "%s isn't taken for the allowed one",
    async (origin) => {
      expect((await RawClient.refused(server.url, { token, origin })).status).toBe(403);
    },
  );
});

it.each([
  [29_999, "connected"],
  [30_001, "refused"],
])("a ticket is good for 30 s: after %s ms it is %s", async (ms, expected) => {
  const clock = new ManualClock();
  await using timed = await startServer({}, { clock });
  const { json } = await request(timed.url, "/api/v1/tickets", { method: "POST", token });
  clock.advance(ms);
  const query = `ticket=${(json as { readonly ticket: string }).ticket}`;
  if (expected === "refused") {
    expect((await RawClient.refused(timed.url, { query })).status).toBe(401);
  } else {
    await using client = await RawClient.connect(timed.url, { query });
    expect(await client.take()).toMatchObject({ type: "connected" });
  }
});

it("?token= is refused where it is switched off", async () => {
  await using strict = await startServer({ auth: { query_token: false } });
  const { status, body } = await RawClient.refused(strict.url, { query: `token=${token}` });
  expect(status).toBe(401);
  expect(JSON.parse(body)).toMatchObject({ detail: "A token in the query string is not accepted here" });
});

it("no token of any of these tests was logged", () => {
  const lines = JSON.stringify(server.logged);
  for (const secret of [token, inK8sForm, token.split(".")[2] as string]) expect(lines).not.toContain(secret);
});
