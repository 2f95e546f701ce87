import { request, createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { createLogger } from "./logger.js";

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
const opaque = "2YotnFZFEjr1zCsicMWpAA";

function setUp(options: { level?: string; pretty?: boolean } = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line), flushSync: () => undefined };
  const logger = createLogger({ service: "sluice", destination, ...options });
  const last = () => JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
  return { logger, lines, last };
}

/** A real request, as a server of ours gets it. */
async function incoming(path: string, headers: Record<string, string>): Promise<IncomingMessage> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const arrived = new Promise<IncomingMessage>((resolve) => {
    server.once("request", (message, reply) => {
      reply.end();
      resolve(message);
    });
  });
  const sent = request({ port, path, headers });
  sent.end();
  const message = await arrived;
  const copy = message;
  await new Promise<void>((resolve) => sent.once("response", (reply) => reply.resume().once("end", () => resolve())));
  server.close();
  return copy;
}

describe("a line", () => {
  it("is JSON with level, time, service and message", () => {
    const { logger, last } = setUp();
    logger.info({ port: 8081 }, "listening");
    const { time, ...rest } = last();
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(rest).toEqual({ level: "info", service: "sluice", pid: process.pid, port: 8081, msg: "listening" });
  });

  it("is written from the level on that was asked for", () => {
    const { logger, lines } = setUp({ level: "warn" });
    logger.info("no");
    logger.warn("yes");
    expect(lines).toHaveLength(1);
  });

  it("can be for people", () => {
    const { logger, lines } = setUp({ pretty: true });
    logger.warn({ token: opaque, n: 1 }, "odd");
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN  odd token=\[redacted\] n=1\n$/);
  });
});

describe("of a request", () => {
  it("only method, path, address and user are logged, under whatever name it comes", async () => {
    const { logger, last, lines } = setUp();
    const message = await incoming(`/ws?token=${opaque}`, {
      authorization: `Bearer ${opaque}`,
      cookie: `sid=${opaque}`,
    });
    const safe = { method: "GET", path: "/ws" };
    logger.info({ req: message }, "req");
    expect(last()).toMatchObject({ req: safe });
    logger.info({ upgrade: message, socket: message.socket, ok: 1 }, "other name");
    expect(last()).toMatchObject({ upgrade: safe, socket: "[redacted]", ok: 1 });
    logger.info(message);
    expect(last()).toMatchObject({ req: safe });
    expect(lines.join("")).not.toContain(opaque);
  });

  it("a path is logged only as a path, and cut", () => {
    const { logger, last } = setUp();
    logger.info({
      req: { method: "GET", url: "http://me:hunter2@proxy.example/x", headers: { a: 1 }, user_id: "alice" },
    });
    expect(last()["req"]).toEqual({ method: "GET", path: "[redacted]", user_id: "alice" });
    logger.info({ req: { path: `/${"x".repeat(300)}#f`, remote_address: "127.0.0.1" } });
    expect(last()["req"]).toEqual({ path: `/${"x".repeat(255)}`, remote_address: "127.0.0.1" });
    logger.info({ req: "GET /?token=x" });
    expect(last()["req"]).toEqual({});
  });
});

describe("of an error", () => {
  it("type, message, code, stack and causes are logged, and no field of a library's own", () => {
    const { logger, last } = setUp();
    const cause = Object.assign(new TypeError("inner"), { code: "E_INNER", headers: { authorization: opaque } });
    const error = Object.assign(new Error("outer", { cause }), { config: { token: opaque } });
    for (const log of [
      () => logger.error(error),
      () => logger.error({ err: error }),
      () => logger.error({ reason: error }),
      () => logger.error({ error }),
    ]) {
      log();
      const logged = last()["err"] ?? last()["reason"] ?? last()["error"];
      expect(logged).toMatchObject({ type: "Error", message: "outer", cause: { type: "TypeError", code: "E_INNER" } });
      expect(Object.keys(logged as object).sort()).toEqual(["cause", "message", "stack", "type"]);
    }
  });

  it("causes end after four, and what is no error has no fields", () => {
    const { logger, last } = setUp();
    const loop = new Error("loop");
    loop.cause = loop;
    logger.error({ err: loop });
    expect(JSON.stringify(last()).match(/"message":"loop"/g)).toHaveLength(5);
    logger.error({ err: { token: opaque } });
    expect(last()["err"]).toEqual({ type: "object", message: "something that is no Error was thrown" });
    logger.error({ err: `text ${jwt}` });
    expect(last()["err"]).toEqual({ type: "string", message: "text [redacted]" });
  });
});

describe("a token", () => {
  it.each([
    ["message", (token: string) => [`refused ${token}`]],
    ["interpolation", (token: string) => ["refused %s", token]],
    ["field of its name", (token: string) => [{ token, ticket: token, password: token, authorization: token }]],
    ["headers", (token: string) => [{ headers: { authorization: `Bearer ${token}` }, query: { token } }]],
    ["nested field", (token: string) => [{ peer: { deep: [{ url: `wss://x/ws?token=${token}` }] } }]],
    ["web headers", (token: string) => [{ sent: new Headers({ authorization: `Bearer ${token}` }) }]],
    ["error's message", (token: string) => [new Error(`bad token=${token}`)]],
  ])("does not get into the log as or in a %s", (_, args) => {
    const { logger, lines } = setUp({ level: "trace" });
    const child = logger.child({ authorization: jwt, connection_id: "c" });
    for (const sink of [logger, child]) sink.info(...(args(jwt) as [string]));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toContain(jwt.slice(0, 12));
      expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  });

  it("that is opaque does not either, where its place gives it away", () => {
    const { logger, lines } = setUp();
    logger.info({ url: `/ws?ticket=${opaque}`, h: { authorization: opaque } }, `Bearer ${opaque}`);
    expect(lines[0]).not.toContain(opaque);
  });
});
