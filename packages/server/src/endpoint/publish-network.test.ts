// What only a real socket shows: `Expect`, bodies refused unread, clients that go away.
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { allRights, type AuthOutcome, problemServerOptions, registerProblemHandlers } from "@sluice/runtime";
import type { EventLog } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { publishRoute } from "./publish-route.js";
import { createPublisher } from "./publisher.js";

const clock = { now: () => performance.now(), wall: () => Date.now() };
const mebibyte = 1_048_576;
const limits = { payload_bytes: 262_144, publish_body_bytes: 2 * mebibyte, publish_batch_events: 10_000 };
const event = '{"event_type":"A","payload":1}';

let log: EventLog;
let app: FastifyInstance;
let port: number;
let refusals: string[];
let onRefusal: () => void;

beforeEach(async () => {
  log = createMemoryLog({
    clock,
    retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
    dedup: { windowMs: 60_000, maxIds: 1_000 },
  });
  refusals = [];
  onRefusal = () => {};
  app = Fastify({ ...problemServerOptions, forceCloseConnections: true, http: { maxHeaderSize: 8_192 } });
  registerProblemHandlers(app);
  const refused = (reason: string): void => {
    refusals.push(reason);
    onRefusal();
  };
  await app.register(publishRoute, {
    publisher: createPublisher({ log, limits, clock, meter: { accepted: () => {}, refused } }),
    clock,
    authenticate: async ({ headers }): Promise<AuthOutcome> => {
      const userId = /^Bearer (good|slow)$/.exec(headers.authorization ?? "")?.[1];
      if (userId === undefined) return { ok: false, reason: "missing", status: 401 };
      return { ok: true, identity: { userId, expiresAtMs: Infinity, rights: allRights } };
    },
    isAccepting: () => true,
    onError: () => undefined,
    bodyBytesMax: 3 * mebibyte,
  });
  app.post("/echo", async ({ body }) => ({ body }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  ({ port } = app.server.address() as AddressInfo);
});

afterEach(async () => {
  await app.close();
  await log.close();
});

const head = (lines: readonly string[]): string =>
  `POST /api/v1/events HTTP/1.1\r\nHost: h\r\n${lines.join("\r\n")}\r\n\r\n`;

/** Sends `text` and gives what comes back until `until` is in it, or the server ends the connection. */
async function exchange(socket: Socket, text: string, until: string): Promise<string> {
  socket.write(text);
  let answer = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    answer += String(chunk);
    if (answer.includes(until)) break;
  }
  return answer;
}

async function open(): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

/** Sends the largest body there may be, but for its last byte; resolves when the service holds it. */
async function hold(token: string): Promise<Socket> {
  const accepted = once(app.server, "connection") as Promise<[Socket]>;
  const socket = await open();
  const text = head([
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${2 * mebibyte}`,
  ]);
  socket.write(text + " ".repeat(2 * mebibyte - 1));
  const [served] = await accepted;
  // Whoever comes before that may be given the room, and this one be refused.
  await vi.waitFor(() => expect(served.bytesRead).toBe(text.length + 2 * mebibyte - 1), { timeout: 10_000 });
  return socket;
}

describe("Expect: 100-continue", () => {
  const good = ["Authorization: Bearer good", "Content-Type: application/json", `Content-Length: ${event.length}`];

  it("asks a publisher for the body, then takes it", async () => {
    const socket = await open();
    const asked = await exchange(socket, head([...good, "Expect: 100-continue"]), "\r\n\r\n");
    expect(asked).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    expect(await exchange(socket, event, "}")).toContain("HTTP/1.1 202 Accepted");
    socket.destroy();
  });

  it("does not ask for a body that would be refused, and ends the connection", async () => {
    const socket = await open();
    const answer = await exchange(socket, head(["Content-Length: 100", "Expect: 100-continue"]), "never");
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer.toLowerCase()).toContain("connection: close");
  });

  it("is left to Node on other paths", async () => {
    const socket = await open();
    const text = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1\r\n";
    expect(await exchange(socket, `${text}Expect: 100-continue\r\n\r\n`, "\r\n\r\n")).toContain("100 Continue");
    expect(await exchange(socket, "7", "}")).toContain("200 OK");
    socket.destroy();
  });
});

describe("a body refused unread", () => {
  const post = (body: Buffer, token = "good") =>
    fetch(`http://127.0.0.1:${port}/api/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body,
    });

  it("is answered, large or small, and the service goes on", async () => {
    expect((await post(Buffer.alloc(10_000), "bad")).status).toBe(401);
    expect((await post(Buffer.alloc(2 * mebibyte + 1))).status).toBe(413);
    expect((await post(Buffer.from(event))).status).toBe(202);
  });

  it("keeps the connection when what is left of it is small", async () => {
    const socket = await open();
    const body = " ".repeat(1_000);
    const refused = await exchange(socket, head(["Content-Length: 1000"]) + body, "}");
    expect(refused).toContain("HTTP/1.1 401");
    const good = ["Authorization: Bearer good", "Content-Type: application/json", `Content-Length: ${event.length}`];
    expect(await exchange(socket, head(good) + event, "}")).toContain("202 Accepted");
    socket.destroy();
  });

  it("ends the connection in the middle of one that turns out too long", async () => {
    const request = httpRequest({
      port,
      method: "POST",
      path: "/api/v1/events",
      headers: { authorization: "Bearer good" },
    });
    request.on("error", () => {}).write(Buffer.alloc(2 * mebibyte + 1));
    const [response] = (await once(request, "response")) as [{ statusCode: number; headers: Record<string, string> }];
    expect(response.statusCode).toBe(413);
    expect(response.headers["connection"]).toBe("close");
    request.destroy();
  });

  it("makes others wait when the process holds too much already", async () => {
    const socket = await hold("good");
    const response = await post(Buffer.from(`${event}${" ".repeat(mebibyte)}`));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ type: "urn:sluice:problem:overloaded" });
    const answer = await exchange(socket, " ", "}");
    expect(answer).toContain("urn:sluice:problem:no-events");
    expect((await post(Buffer.from(`${event}${" ".repeat(mebibyte)}`))).status).toBe(202);
    socket.destroy();
  });

  it("is that of a user whose bodies are slow, while there is room for the others", async () => {
    const socket = await hold("slow");
    const body = Buffer.from(`${event}${" ".repeat(mebibyte / 2)}`);
    expect((await post(body, "slow")).status).toBe(503);
    expect((await post(body)).status).toBe(202);
    expect(await exchange(socket, " ", "}")).toContain("urn:sluice:problem:no-events");
    socket.destroy();
  });
});

describe("a client that goes away in the middle of its body", () => {
  it("leaves nothing behind", async () => {
    const socket = await open();
    const asked = await exchange(
      socket,
      head(["Authorization: Bearer good", `Content-Length: ${2 * mebibyte}`, "Expect: 100-continue"]),
      "\r\n\r\n",
    );
    expect(asked).toContain("100 Continue");
    socket.write(Buffer.alloc(mebibyte));
    const counted = new Promise<void>((resolve) => {
      onRefusal = resolve;
    });
    socket.resetAndDestroy();
    await counted;
    expect(refusals).toEqual(["bad-request"]);
    expect(log.head).toBe(0);
  });
});

describe("broken HTTP", () => {
  it.each([
    ["what is no HTTP", "NONSENSE\r\n\r\n", 400, "bad-request"],
    ["headers without end", `GET / HTTP/1.1\r\nX: ${"a".repeat(20_000)}\r\n\r\n`, 431, "headers-too-large"],
    ["a path that does not decode", "GET /%zz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 400, "bad-request"],
  ])("%s is answered with a problem", async (_, text, status, name) => {
    const answer = await exchange(await open(), text, "never");
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("application/problem+json");
    expect(answer).toContain(`"type":"urn:sluice:problem:${name}"`);
  });
});
