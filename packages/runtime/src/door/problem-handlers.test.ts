import Fastify, { type FastifyInstance } from "fastify";
import { PassThrough, type Duplex } from "node:stream";
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { problemServerOptions, registerProblemHandlers } from "./problem-handlers.js";

let app: FastifyInstance;
let logged: string;

beforeEach(() => {
  logged = "";
  const stream = {
    write: (line: string) => {
      logged += line;
    },
  };
  app = Fastify({ ...problemServerOptions, bodyLimit: 10, logger: { level: "error", stream } });
  registerProblemHandlers(app);
  const schema = {
    querystring: { type: "object", required: ["limit"], properties: { limit: { type: "integer", maximum: 9 } } },
  };
  app.get("/list", { schema }, async () => ({ ok: true }));
  app.get("/item/:id", async () => ({ ok: true }));
  app.post("/item", async () => ({ ok: true }));
  app.delete("/item", async () => ({ ok: true }));
  app.get("/throws", async () => {
    throw new Error("password=hunter2");
  });
  app.get("/refuses", async () => {
    throw Object.assign(new Error("token abc is bad"), { statusCode: 402 });
  });
});

afterEach(async () => {
  await app.close();
});

describe("registerProblemHandlers", () => {
  const json = { "content-type": "application/json" };

  it.each([
    ["GET", "/nothing?token=abc", undefined, {}, 404, { name: "not-found" }],
    ["PUT", "/item", undefined, {}, 405, { name: "method-not-allowed", allowed: ["POST", "DELETE"] }],
    ["POST", "/nothing", "x", { "content-type": "text/weird" }, 404, { name: "not-found" }],
    ["POST", "/item", "x", { "content-type": "text/weird" }, 415, { name: "unsupported-media-type" }],
    ["POST", "/item", "x", { "content-type": "weird" }, 415, { name: "unsupported-media-type" }],
    ["POST", "/item", "", json, 400, { name: "malformed-body" }],
    ["POST", "/item", "{", json, 400, { name: "malformed-body" }],
    ["POST", "/item", '{"__proto__":1}', json, 413, { name: "body-too-large" }],
    ["GET", `/item/${"a".repeat(200)}`, undefined, {}, 404, { name: "not-found" }],
    ["GET", "/%zz", undefined, {}, 400, { name: "bad-request" }],
    ["GET", "/list", undefined, {}, 400, { name: "invalid-parameter", field: "limit" }],
    ["GET", "/list?limit=10", undefined, {}, 400, { name: "invalid-parameter", field: "limit" }],
    ["GET", "/list?limit=x", undefined, {}, 400, { name: "invalid-parameter", field: "limit" }],
    ["GET", "/refuses", undefined, {}, 400, { name: "bad-request" }],
    ["GET", "/throws", undefined, {}, 500, { name: "internal-error" }],
  ] as const)(
    "%s %.20s is answered with a problem of our own words",
    async (method, url, payload, headers, status, problem) => {
      const response = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
      const { name, ...members } = problem;
      expect(response.json()).toMatchObject({ type: `urn:sluice:problem:${name}`, status, ...members });
      expect(response.statusCode).toBe(status);
      expect(response.headers["content-type"]).toBe("application/problem+json");
      expect(response.headers["allow"]).toBe(status === 405 ? "POST, DELETE" : undefined);
      expect(response.body).not.toMatch(/hunter2|abc|__proto__/);
      expect(logged.includes("hunter2")).toBe(status === 500);
    },
  );
});

describe("clientErrorHandler", () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  const handle = (code: string, socket: Duplex): void =>
    problemServerOptions.clientErrorHandler(Object.assign(new Error("secret"), { code }), socket as unknown as Socket);

  it.each([
    ["ERR_HTTP_REQUEST_TIMEOUT", 408, "Request Timeout", "request-timeout"],
    ["HPE_HEADER_OVERFLOW", 431, "Request Header Fields Too Large", "headers-too-large"],
    ["HPE_INVALID_METHOD", 400, "Bad Request", "bad-request"],
  ])("answers %s with %i and ends", async (code, status, phrase, name) => {
    const socket = Object.assign(new PassThrough(), { destroySoon: () => socket.end() });
    handle(code, socket);
    await turn();
    const answer = String(socket.read());
    expect(answer).toContain(`HTTP/1.1 ${status} ${phrase}\r\nconnection: close\r\n`);
    const [, body = ""] = answer.split("\r\n\r\n");
    expect(answer).toContain(`content-length: ${body.length}\r\n`);
    expect(JSON.parse(body)).toMatchObject({ type: `urn:sluice:problem:${name}`, status });
    expect(answer).not.toContain("secret");
    expect(socket.writableEnded).toBe(true);
  });

  it("ends many late requests over several turns, and those that have gone by then not at all", async () => {
    const ended: number[] = [];
    const sockets = Array.from({ length: 45 }, (_, n) => {
      return Object.assign(new PassThrough(), { destroySoon: () => void ended.push(n) });
    });
    for (const socket of sockets) handle("ERR_HTTP_REQUEST_TIMEOUT", socket);
    expect(ended.length).toBe(0);
    sockets[44]?.destroy();
    await turn();
    expect(ended.length).toBe(20);
    await turn();
    await turn();
    expect(ended.length).toBe(44);
  });

  it("writes nothing where nobody reads", () => {
    const socket = Object.assign(new PassThrough(), { destroySoon: () => {} });
    handle("ECONNRESET", socket);
    expect(socket.read()).toBeNull();
    socket.destroy();
    expect(() => handle("HPE_INVALID_METHOD", socket)).not.toThrow();
  });
});
