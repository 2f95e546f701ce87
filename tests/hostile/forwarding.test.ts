// What the gateway says to a backend in a caller's name: nothing that two readers understand differently, nothing twice that
// must not be done twice, and the caller's bytes as they were.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  mint,
  publisherToken,
  RawClient,
  RawSocket,
  request,
  startGateway,
  startRawBackend,
  within,
} from "@sluice/testkit";
import type { SettingsOverrides } from "@sluice/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forwardingCases } from "./forwarding-cases.js";

const authorization = `Authorization: Bearer ${publisherToken()}\r\n`;

/** A service that a test speaks for, and what reached it but for health checks. */
async function startService(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = [];
  const bodies: string[] = [];
  const server = createServer((incoming, response) => {
    if (incoming.url === "/readyz") return void response.end("{}");
    seen.push(incoming);
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
    incoming.on("end", () => bodies.push(body));
    answer(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    bodies,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A service that takes a request and dies over it. */
function startFatal() {
  return startService((incoming) => incoming.socket.destroy());
}

/** A service that answers when it has heard all. */
function startSound() {
  return startService((incoming, response) => incoming.on("end", () => response.end("done")));
}

describe("a request that must not go on", () => {
  let service: Awaited<ReturnType<typeof startService>>;
  let gateway: Awaited<ReturnType<typeof startGateway>>;
  beforeAll(async () => {
    service = await startSound();
    gateway = await startGateway([service.url]);
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  it.each(forwardingCases)("$name: $status ($because)", async ({ text, status }) => {
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(Buffer.from(text, "latin1"));
    expect((await raw.head()).status).toBe(status);
    expect(service.seen).toEqual([]);
    expect(gateway.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

describe("Expect: 100-continue", () => {
  const head = "POST /api/v1/events HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n";

  it("is answered when the body is wanted", async () => {
    await using service = await startSound();
    await using gateway = await startGateway([service.url]);
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(`${head}${authorization}Content-Length: 5\r\n\r\n`);
    expect((await raw.head()).status).toBe(100);
    raw.send("hello");
    expect((await raw.head()).status).toBe(200);
    expect(service.bodies).toEqual(["hello"]);
    expect(service.seen[0]?.headers).not.toHaveProperty("expect");
  });

  it.each([
    ["without a token", "Content-Length: 5\r\n", 401],
    ["for a body over the limit", `${authorization}Content-Length: 99999999\r\n`, 413],
    ["before no backend", `${authorization}Content-Length: 5\r\n`, 503],
  ])("%s is refused without a byte of the body, and the connection ends", async (_what, lines, status) => {
    await using service = await startSound();
    await using gateway = await startGateway(status === 503 ? ["http://127.0.0.1:1"] : [service.url]);
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(`${head}${lines}\r\n`);
    const first = await raw.head();
    // Where a backend has to be dialled to know, the body is asked for before.
    const last = status === 503 && first.status === 100 ? await raw.head() : first;
    expect(last.status).toBe(status);
    if (status !== 503) {
      expect(last.headers.get("connection")).toBe("close");
      await within("the connection to be ended", raw.closed);
    }
    expect(service.seen).toEqual([]);
  });
});

it("Expect of HTTP/1.0 is no expectation", async () => {
  await using service = await startSound();
  await using gateway = await startGateway([service.url]);
  await using raw = await RawSocket.connect(gateway.url);
  raw.send(`POST /api/v1/events HTTP/1.0\r\nExpect: 100-continue\r\n${authorization}Content-Length: 5\r\n\r\nhello`);
  expect((await raw.head()).status).toBe(200);
  expect(service.bodies).toEqual(["hello"]);
});

describe("of two backends, the first of which is lost", () => {
  const post = { method: "POST", token: publisherToken(), body: '{"event_type":"A"}' } as const;
  const put = { method: "PUT", token: publisherToken() } as const;

  it.each([
    ["a publish, which it may have done, is not done again", post, 502],
    ["nor is a PUT without a body", put, 502],
    ["a reading request is asked again", { token: mint() }, 200],
  ])("%s", async (_what, asked, status) => {
    await using fatal = await startFatal();
    await using sound = await startSound();
    // The first of two that are equal is not known, so both orders are tried until the fatal one was met.
    for (const upstreams of [
      [fatal.url, sound.url],
      [sound.url, fatal.url],
    ]) {
      fatal.seen.length = 0;
      sound.seen.length = 0;
      await using gateway = await startGateway(upstreams);
      const answer = await request(gateway.url, "/api/v1/events", asked);
      if (fatal.seen.length === 0) continue;
      expect([answer.status, fatal.seen.length, sound.seen.length]).toEqual([status, 1, status === 200 ? 1 : 0]);
      return;
    }
    throw new Error("the fatal one was never asked");
  });

  it("a publish whose backend takes no connection goes to nobody else: its body has begun", async () => {
    await using sound = await startSound();
    const answers: number[] = [];
    await using gateway = await startGateway(["http://127.0.0.1:1", sound.url]);
    for (let n = 0; n < 3; n += 1) answers.push((await request(gateway.url, "/api/v1/events", post)).status);
    for (const status of answers) expect([200, 503]).toContain(status);
    expect(sound.bodies).toEqual(answers.filter((status) => status === 200).map(() => post.body));
  });

  it("a reading request that every backend is lost over: 502", async () => {
    await using fatal = await startFatal();
    await using gateway = await startGateway([fatal.url]);
    expect((await request(gateway.url, "/api/v1/events", { token: mint() })).status).toBe(502);
    expect(fatal.seen.length).toBe(1);
  });
});

it.each([413, 414, 431])(
  "a backend that finds a handshake too long (%i) refuses the caller, and is not left alone for it",
  async (answered) => {
    await using backend = await startRawBackend((socket) => {
      socket.write(`HTTP/1.1 ${answered} No\r\nContent-Length: 0\r\n\r\n`);
    });
    await using gateway = await startGateway([backend.url]);
    expect((await RawClient.refused(gateway.url, { token: mint() })).status).toBe(400);
    const { json } = await request(gateway.opsUrl, "/healthz/detailed");
    expect(json).toMatchObject({ backends: [{ ejected_ms: 0 }] });
  },
);

it("bytes over 127 in headers come through as they were, both ways", async () => {
  await using backend = await startRawBackend((socket) => {
    socket.write(Buffer.from("HTTP/1.1 200 OK\r\nX-Title: \xe9 \xe6\xbc\xa2\r\nContent-Length: 0\r\n\r\n", "latin1"));
  });
  await using gateway = await startGateway([backend.url]);
  await using raw = await RawSocket.connect(gateway.url);
  raw.send(
    Buffer.from(`GET /api/v1/x HTTP/1.1\r\nHost: a\r\n${authorization}User-Agent: \xe9 \xe6\xbc\xa2\r\n\r\n`, "latin1"),
  );
  expect((await raw.head()).headers.get("x-title")).toBe("\xe9 \xe6\xbc\xa2");
  expect(backend.heads[0]).toContain("user-agent: \xe9 \xe6\xbc\xa2\r\n");
});

describe("X-Forwarded-For behind a trusted proxy", () => {
  const settings: SettingsOverrides = { gateway: { trusted_proxies: ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"] } };
  const cases: readonly (readonly [chain: string, address: string])[] = [
    ["6.6.6.6", "6.6.6.6"],
    ["6.6.6.6:4711", "6.6.6.6"],
    ["[2001:DB8:0::1]:443", "2001:db8::1"],
    ["::ffff:6.6.6.6", "6.6.6.6"],
    ["::ffff:606:606, ::ffff:a00:1", "6.6.6.6"],
    ["1.1.1.1, 6.6.6.6, [fd00::1], 10.0.0.1:99", "6.6.6.6"],
    ["6.6.6.6, unknown", "127.0.0.1"],
    ['"6.6.6.6"', "127.0.0.1"],
    ["6.6.6.6\xe9", "127.0.0.1"],
    ["6.6.6.6\r\nX-Forwarded-For: 7.7.7.7", "7.7.7.7"],
    [`${"1.1.1.1, ".repeat(1_000)}6.6.6.6${", 10.0.0.1".repeat(100)}`, "6.6.6.6"],
  ];
  it("is one address, in one spelling, for the backend and for the limits", async () => {
    await using service = await startSound();
    await using gateway = await startGateway([service.url], settings);
    for (const [chain, address] of cases) {
      await using raw = await RawSocket.connect(gateway.url);
      raw.send(
        Buffer.from(`GET /api/v1/x HTTP/1.1\r\nHost: a\r\n${authorization}X-Forwarded-For: ${chain}\r\n\r\n`, "latin1"),
      );
      expect((await raw.head()).status).toBe(200);
      expect(service.seen.at(-1)?.headers["x-forwarded-for"]).toBe(address);
    }
  });
});

it("IPv4 callers of a listener on :: have limits of their own, each, not one for all of IPv4", async () => {
  await using service = await startSound();
  await using gateway = await startGateway([service.url], {
    gateway: { host: "::", limits: { connections_per_address: 1 } },
  });
  const { port } = new URL(gateway.url);
  const sockets: RawSocket[] = [];
  try {
    // Past one and 16 spare ones the next of the same address is cut.
    for (let n = 0; n < 17; n += 1) sockets.push(await RawSocket.connect(`http://127.0.0.1:${port}`));
    const [cut, other] = [
      await RawSocket.connect(`http://127.0.0.1:${port}`),
      await RawSocket.connect(`http://127.0.0.1:${port}`, "127.0.0.2"),
    ];
    sockets.push(cut, other);
    await within("the one too many to be cut", cut.closed);
    other.send(`GET /api/v1/x HTTP/1.1\r\nHost: a\r\n${authorization}\r\n`);
    expect((await other.head()).status).toBe(200);
  } finally {
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
});
