// Who gets through the gateway: the four places of a token, and whoever gets nowhere near a backend.
import { createHmac, generateKeyPairSync } from "node:crypto";
import {
  type Backend,
  mint,
  RawClient,
  RawSocket,
  request,
  upgradeRequest,
  startEchoBackend,
  startGateway,
  startServer,
  testSecret,
  type ConnectOptions,
} from "@sluice/testkit";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const k8sPrefix = "base64url.bearer.authorization.k8s.io.";
const audience = "https://sluice.example";
const token = mint({ sub: "alice", aud: audience });
const inK8sForm = k8sPrefix + Buffer.from(token).toString("base64url");

let echo: Backend;
let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  echo = await startEchoBackend({ onConnection: (webSocket) => webSocket.send("{}") });
  gateway = await startGateway([echo.url], {
    auth: { audience: [audience] },
    gateway: { allowed_origins: ["https://app.example"] },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

const issueTicket = async (): Promise<string> => {
  const { status, json } = await request(gateway.url, "/api/v1/tickets", { method: "POST", token });
  expect(status).toBe(200);
  return (json as { ticket: string }).ticket;
};

/** The handshake that the last connection reached the backend with. */
async function seenFor(
  options: ConnectOptions,
): Promise<{ url: string | undefined; headers: NodeJS.Dict<string | string[]> }> {
  await using client = await RawClient.connect(gateway.url, options);
  await client.take();
  const { url, headers } = echo.handshakes.at(-1) ?? {};
  return { url, headers: headers ?? {} };
}

describe("a token reaches the backend in Authorization, and nowhere else, from", () => {
  const places: readonly [string, ConnectOptions][] = [
    ["Authorization", { token }],
    ["Kubernetes' subprotocol", { subprotocols: ["sluice.v1", inK8sForm] }],
    ["the subprotocols bearer and token", { subprotocols: ["bearer", token] }],
    ["?token=", { query: `policy=replay&token=${token}` }],
    ["?token= with its name written otherwise", { query: `policy=replay&%74oken=${token}` }],
  ];
  it.each(places)("%s", async (_place, options) => {
    const { url, headers } = await seenFor(options);
    expect(headers["authorization"]).toBe(`Bearer ${token}`);
    expect(JSON.stringify({ url, ...headers, authorization: "" })).not.toContain(token.split(".")[1]);
    if (options.query !== undefined) expect(url).toBe("/ws?policy=replay");
  });

  it("a ticket, which the gateway issues and which is good once", async () => {
    const query = `ticket=${await issueTicket()}`;
    expect((await seenFor({ query })).headers["authorization"]).toBe(`Bearer ${token}`);
    const reached = echo.handshakes.length;
    expect(await RawClient.refused(gateway.url, { query })).toMatchObject({ status: 401 });
    expect(echo.handshakes.length).toBe(reached);
  });
});

const otherKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const claims = { sub: "mallory", aud: audience, exp: Math.floor(Date.now() / 1000) + 600 };
const unsigned = (alg: string): string => `${part({ alg, typ: "JWT" })}.${part(claims)}.`;

describe("a backend hears nothing of a caller with", () => {
  const bad: readonly [string, () => string | Promise<string>][] = [
    ["a wrong signature", () => mint({ aud: audience }, { secret: "another secret, 32 bytes long..." })],
    ["an expired token", () => mint({ aud: audience, ttlMs: -60_000 })],
    ["alg none", () => unsigned("none")],
    ["alg None", () => unsigned("None")],
    ["another audience", () => mint({ aud: "https://other.example" })],
    ["no audience", () => mint()],
    ["no subject", () => mint({ aud: audience, sub: undefined as unknown as string })],
    [
      "a key that nobody published",
      () => new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: "x" }).sign(otherKey),
    ],
    [
      "a token signed with its own jwk",
      () => mint({ aud: audience }, { secret: "k".repeat(32), header: { jwk: { kty: "oct", k: "a2s" } } }),
    ],
    ["a token of 12 KiB and more", () => mint({ aud: audience, pad: "x".repeat(9_300) })],
    ["no JWT", () => "opaque"],
    ["nothing", () => ""],
  ];
  it.each(bad)("%s: 401, or Close 1008 for a browser", async (_what, make) => {
    const text = await make();
    const reached = echo.handshakes.length;
    const credentials = text === "" ? {} : { token: text };
    const { status, headers, body } = await RawClient.refused(gateway.url, credentials);
    expect({ status, challenge: headers["www-authenticate"] }).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^Bearer error="invalid_token"/) as unknown,
    });
    if (text !== "") expect(JSON.stringify(headers) + body).not.toContain(text);
    await using client = await RawClient.connect(gateway.url, { ...credentials, origin: "https://app.example" });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Authentication failed" });
    const http = await request(gateway.url, "/api/v1/events", { token: text === "" ? undefined : text });
    expect(http.status).toBe(401);
    expect(echo.handshakes.length).toBe(reached);
  });

  it("a token in two places", async () => {
    const reached = echo.handshakes.length;
    const { status } = await RawClient.refused(gateway.url, { token, query: `token=${token}` });
    expect([status, echo.handshakes.length]).toEqual([401, reached]);
  });

  it("an Origin that is not allowed", async () => {
    const reached = echo.handshakes.length;
    const { status } = await RawClient.refused(gateway.url, { token, origin: "https://evil.example" });
    expect([status, echo.handshakes.length]).toEqual([403, reached]);
  });
});

describe("with an internal token in exchange", () => {
  const secret = "the secret between the gateway and its backends";
  const read = (header: unknown): Record<string, unknown> => {
    const [head, body, signature] = String(header).replace("Bearer ", "").split(".") as [string, string, string];
    expect(createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url")).toBe(signature);
    return JSON.parse(Buffer.from(body, "base64url").toString()) as Record<string, unknown>;
  };

  it("the backend gets identity and rights, and the caller's token stays at the door", async () => {
    await using door = await startGateway([echo.url], {
      gateway: { identity: { exchange: true, secret, ttl_ms: 60_000 } },
    });
    const caller = mint({ sub: "alice", scope: "events:publish", events: ["GPU_*"], clusters: ["c-1"] });
    await using client = await RawClient.connect(door.url, { token: caller });
    await client.take();
    const headers = echo.handshakes.at(-1)?.headers;
    expect(headers).toBeDefined();
    expect(JSON.stringify(headers)).not.toContain(caller);
    const body = read(headers?.authorization);
    expect(body).toMatchObject({ sub: "alice", scope: "events:publish", events: ["GPU_*"], clusters: ["c-1"] });
    expect(Number(body["exp"]) * 1000 - Date.now()).toBeLessThanOrEqual(60_000);
  });

  it("the new token ends no later than the caller's, and says all where all is allowed", async () => {
    await using door = await startGateway([echo.url], { gateway: { identity: { exchange: true, secret } } });
    await using client = await RawClient.connect(door.url, { token: mint({ ttlMs: 20_000 }) });
    await client.take();
    const body = read(echo.handshakes.at(-1)?.headers.authorization);
    expect(body).toMatchObject({ events: ["*"], clusters: ["*"] });
    expect(Number(body["exp"]) * 1000 - Date.now()).toBeLessThanOrEqual(20_000);
  });

  it("a service that knows only that secret takes it", async () => {
    await using server = await startServer({ auth: { hs256_secret: secret } });
    await using door = await startGateway([server.url], { gateway: { identity: { exchange: true, secret } } });
    await using client = await RawClient.connect(door.url, { token: mint({ sub: "alice", events: ["GPU_*"] }) });
    expect(await client.take()).toMatchObject({ type: "connected", user_id: "alice" });
    expect(await client.ask({ type: "subscribe", id: "1", events: ["ALERT_*"] })).toMatchObject({ code: "FORBIDDEN" });
  });
});

it("a subprotocol that carries a token is never echoed, and bearer is where a browser needs an answer", async () => {
  const answers: (string | undefined)[] = [];
  for (const offer of [inK8sForm, `bearer, ${token}`]) {
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(upgradeRequest({ headers: { "Sec-WebSocket-Protocol": offer } }));
    const { status, headers } = await raw.head();
    expect(status).toBe(101);
    answers.push(headers.get("sec-websocket-protocol"));
  }
  expect(answers).toEqual([undefined, "bearer"]);
});

it("no token of any of these tests was logged", () => {
  const lines = JSON.stringify(gateway.logged);
  for (const secret of [token, inK8sForm, token.split(".")[2] as string, testSecret])
    expect(lines).not.toContain(secret);
});
