// The gateway becomes a tunnel only to a backend that agreed to just this handshake; what else it says goes nowhere.
import {
  acceptingHead,
  acceptOf,
  eventually,
  frameBytes,
  mint,
  publish,
  RawClient,
  RawSocket,
  request,
  startEchoBackend,
  startGateway,
  startRawBackend,
  startServer,
  upgradeRequest,
} from "@sluice/testkit";
import { settingsWith } from "@sluice/runtime";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";

const token = mint({ sub: "alice" });
const secretText = "secret-of-the-backend";

describe("a backend that answers", () => {
  const answers: readonly [string, (head: string) => string][] = [
    ["200 with a body", () => `HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n${secretText}`],
    [
      "200 that says Upgrade",
      () => `HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${secretText}`,
    ],
    ["302 to elsewhere", () => "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n"],
    ["426", () => "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"],
    ["500", () => `HTTP/1.1 500 Oops\r\nContent-Length: 21\r\n\r\n${secretText}`],
    [
      "101 with another accept",
      (head) => acceptingHead(head).replace(acceptOf(head), "dGhlIHNhbXBsZSBub25jZTEyMzQ1Ng=="),
    ],
    ["101 without accept", (head) => acceptingHead(head).replace(/Sec-WebSocket-Accept.*\r\n/, "")],
    ["101 twice accepted", (head) => acceptingHead(head, [`Sec-WebSocket-Accept: ${acceptOf(head)}`])],
    ["101 to another protocol", (head) => acceptingHead(head).replace("Upgrade: websocket", "Upgrade: h2c")],
    ["101 without Connection", (head) => acceptingHead(head).replace("Connection: Upgrade\r\n", "")],
    ["101 with a subprotocol that nobody offered", (head) => acceptingHead(head, ["Sec-WebSocket-Protocol: chat"])],
    ["101 with the word that announces a token", (head) => acceptingHead(head, ["Sec-WebSocket-Protocol: bearer"])],
    [
      "101 with an extension that nobody offered",
      (head) => acceptingHead(head, ["Sec-WebSocket-Extensions: permessage-deflate"]),
    ],
    ["no HTTP at all", () => `SSH-2.0-${secretText}\r\n`],
  ];
  it.each(answers)("%s: Close 1011, and nothing of it reaches the client", async (_what, answer) => {
    await using backend = await startRawBackend((socket: Socket, head: string) => void socket.write(answer(head)));
    await using gateway = await startGateway([backend.url]);
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(upgradeRequest({ headers: { "Sec-WebSocket-Protocol": `sluice.v1, bearer, ${token}` } }));
    const { status, headers } = await raw.head();
    expect(status).toBe(101);
    expect([...headers.keys()].sort()).toEqual([
      "connection",
      "sec-websocket-accept",
      "sec-websocket-protocol",
      "upgrade",
    ]);
    expect(await raw.closeFrame()).toEqual({ code: 1011, reason: "Backend unavailable" });
    // Smuggled in behind the handshake, where a tunnel to a backend that refused would let it through.
    raw.send("GET /admin HTTP/1.1\r\nHost: internal\r\n\r\n");
    await eventually("the backend's socket to be gone", () => (backend.sockets.size <= 1 ? true : undefined));
    expect(backend.heads.length).toBe(1);
  });

  it.each([
    [401, 401],
    [403, 403],
    [400, 400],
    [404, 404],
  ])("%i: the client is refused with %i, in the gateway's words", async (answered, status) => {
    await using backend = await startRawBackend((socket) => {
      socket.write(`HTTP/1.1 ${answered} No\r\nContent-Length: 21\r\nX-Secret: ${secretText}\r\n\r\n${secretText}`);
    });
    await using gateway = await startGateway([backend.url]);
    const refusal = await RawClient.refused(gateway.url, { token });
    expect(refusal.status).toBe(status);
    expect(refusal.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.stringify(refusal)).not.toContain(secretText);
  });

  it("401: a browser gets Close 1008", async () => {
    await using backend = await startRawBackend(
      (socket) => void socket.write("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
    );
    await using gateway = await startGateway([backend.url]);
    await using client = await RawClient.connect(gateway.url, { token, origin: "https://app.example" });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Authentication failed" });
  });

  it("nothing: Close 1011 when the handshake's time is over", async () => {
    await using backend = await startRawBackend(() => {});
    await using gateway = await startGateway([backend.url], { gateway: { limits: { handshake_ms: 300 } } });
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await client.closed).toMatchObject({ code: 1011 });
  });
});

describe("a client's handshake", () => {
  const broken: readonly [string, Parameters<typeof upgradeRequest>[0], number][] = [
    ["of version 777", { headers: { "Sec-WebSocket-Version": "777" } }, 426],
    ["of another protocol", { headers: { Upgrade: "h2c" } }, 400],
    [
      "with two keys",
      { headers: { "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] } },
      400,
    ],
    ["with a body", { headers: { "Content-Length": "5" } }, 400],
    ["at another path", { requestLine: "GET /admin HTTP/1.1" }, 404],
    ["in absolute form", { requestLine: "GET http://internal/ws HTTP/1.1" }, 400],
  ];
  it.each(broken)("%s is refused, and no backend hears of it", async (_what, lines, status) => {
    await using backend = await startRawBackend(() => {});
    await using gateway = await startGateway([backend.url]);
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(upgradeRequest({ token, ...lines }));
    expect((await raw.head()).status).toBe(status);
    expect(backend.heads).toEqual([]);
  });

  it("reaches the backend made anew: what names an identity or is nominated by Connection stays behind", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url]);
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const headers = {
      "X-User": "root",
      "X-Forwarded-User": "root",
      "X-Forwarded-For": "6.6.6.6",
      Forwarded: "for=6.6.6.6",
      Cookie: "session=1",
      "X-Odd": "1",
      "User-Agent": "agent/1",
      "Accept-Language": "de",
      Connection: "Upgrade, Accept-Language",
      traceparent: `00-${trace}-b7ad6b7169203331-01`,
    };
    await using raw = await RawSocket.upgraded(gateway.url, { token, headers });
    raw.send(frameBytes({ payload: "x" }));
    await raw.frame();
    const seen = echo.handshakes[0]?.headers ?? {};
    expect(Object.keys(seen).sort()).toEqual([
      "authorization",
      "connection",
      "host",
      "sec-websocket-key",
      "sec-websocket-version",
      "traceparent",
      "upgrade",
      "user-agent",
      "x-forwarded-for",
      "x-forwarded-host",
      "x-forwarded-proto",
    ]);
    expect(seen).toMatchObject({
      "x-forwarded-for": "127.0.0.1",
      host: new URL(echo.url).host,
      "user-agent": "agent/1",
    });
    expect(seen["sec-websocket-key"]).not.toBe("dGhlIHNhbXBsZSBub25jZQ==");
    expect(seen["traceparent"]).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
  });
});

describe("with several backends", () => {
  it("one that is not there, or refuses everybody, is passed over before the client is answered", async () => {
    await using busy = await startRawBackend(
      (socket) => void socket.write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
    );
    await using echo = await startEchoBackend();
    await using gone = await startRawBackend(() => {});
    await gone[Symbol.asyncDispose]();
    await using gateway = await startGateway([gone.url, busy.url, echo.url]);
    for (let n = 1; n <= 6; n += 1) {
      await using raw = await RawSocket.upgraded(gateway.url, { token });
      raw.send(frameBytes({ payload: "x" }));
      expect((await raw.frame()).payload.toString()).toBe("x");
    }
    expect(echo.handshakes.length).toBe(6);
  });

  it("callers go to the one with the fewest connections", async () => {
    await using first = await startEchoBackend();
    await using second = await startEchoBackend();
    await using gateway = await startGateway([first.url, second.url]);
    const raws: RawSocket[] = [];
    for (let n = 0; n < 10; n += 1) raws.push(await RawSocket.upgraded(gateway.url, { token }));
    expect([first.clients.size, second.clients.size]).toEqual([5, 5]);
    for (const raw of raws) await raw[Symbol.asyncDispose]();
  });

  it("the list may change: living tunnels go on, new ones go elsewhere", async () => {
    await using first = await startEchoBackend();
    await using second = await startEchoBackend();
    await using gateway = await startGateway([first.url]);
    await using old = await RawSocket.upgraded(gateway.url, { token });
    gateway.reload(settingsWith({ gateway: { upstreams: [second.url] } }));
    await using fresh = await RawSocket.upgraded(gateway.url, { token });
    for (const raw of [old, fresh]) {
      raw.send(frameBytes({ payload: "still" }));
      expect((await raw.frame()).payload.toString()).toBe("still");
    }
    expect([first.clients.size, second.clients.size]).toEqual([1, 1]);
  });

  it("one that is drained gets nobody new, and its tunnels are sent away", async () => {
    await using first = await startEchoBackend();
    await using second = await startEchoBackend();
    await using gateway = await startGateway([first.url, second.url], { gateway: { drain_ms: 200 } });
    await using one = await RawSocket.upgraded(gateway.url, { token });
    await using two = await RawSocket.upgraded(gateway.url, { token });
    const path = `/api/v1/backends/${new URL(first.url).host}/drain`;
    expect((await request(gateway.url, path, { method: "PUT", token })).status).toBe(403);
    const admin = mint({ sub: "root", scope: "admin" });
    expect((await request(gateway.url, path, { method: "PUT", token: admin })).json).toMatchObject({ draining: true });
    const leaving = await Promise.race([one, two].map((raw) => raw.closeFrame().catch(() => undefined)));
    expect(leaving).toEqual({ code: 1012, reason: "Service restart" });
    await eventually("the drained backend to be empty", () => (first.clients.size === 0 ? true : undefined));
    await using three = await RawSocket.upgraded(gateway.url, { token });
    expect(three.socket.destroyed).toBe(false);
    expect([first.clients.size, second.clients.size]).toEqual([0, 2]);
  });

  it("one that says it is not ready gets nobody, and comes back when it is", async () => {
    let isReady = false;
    await using first = await startEchoBackend({
      onRequest: (_request, response) => response.writeHead(isReady ? 200 : 503).end(),
    });
    await using gateway = await startGateway([first.url], { gateway: { health: { interval_ms: 20 } } });
    const ready = async (): Promise<number> => (await request(gateway.url, "/readyz")).status;
    await eventually("not ready", async () => ((await ready()) === 503 ? true : undefined));
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await client.closed).toMatchObject({ code: 1011, reason: "Backend unavailable" });
    isReady = true;
    await eventually("ready", async () => ((await ready()) === 200 ? true : undefined));
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    expect(raw.socket.destroyed).toBe(false);
    const detailed = (await request(gateway.url, "/healthz/detailed")).json;
    expect(detailed).toMatchObject({ status: "ok", backends: [{ health: "up", available: true }] });
  });
});

it("a service that comes back is found again", async () => {
  await using server = await startServer();
  await using gateway = await startGateway([server.url]);
  expect((await publish(gateway.url, [{ event_type: "E", payload: {} }])).accepted).toBe(1);
  await server.close();
  expect((await request(gateway.url, "/api/v1/events", { token })).status).toBe(503);
});
