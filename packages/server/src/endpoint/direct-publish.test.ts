// A plain publish goes around fastify; what it gets is what it would get through it.
import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allRights, type AuthOutcome, problemServerOptions, registerProblemHandlers } from "@sluice/runtime";
import type { EventLog } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { publishRoute } from "./publish-route.js";
import { createPublisher } from "./publisher.js";

const clock = { now: () => performance.now(), wall: () => Date.now() };
const limits = { payload_bytes: 1_000, publish_body_bytes: 5_000, publish_batch_events: 3 };

let log: EventLog;
let app: FastifyInstance;
let url: string;
let routed: number;
let asked: number;
let refusals: string[];
let faults: unknown[];
let isAccepting: boolean;

beforeEach(async () => {
  log = createMemoryLog({
    clock,
    retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
    dedup: { windowMs: 60_000, maxIds: 1_000 },
  });
  [routed, asked, refusals, faults, isAccepting] = [0, 0, [], [], true];
  app = Fastify({ ...problemServerOptions, forceCloseConnections: true });
  registerProblemHandlers(app);
  app.addHook("onRequest", async () => {
    routed += 1;
  });
  await app.register(publishRoute, {
    publisher: createPublisher({
      log,
      limits,
      clock,
      meter: { accepted: () => {}, refused: (reason) => refusals.push(reason) },
    }),
    clock,
    authenticate: async ({ headers }): Promise<AuthOutcome> => {
      asked += 1;
      if (headers.authorization !== "Bearer good") return { ok: false, reason: "missing", status: 401 };
      return { ok: true, identity: { userId: "alice", expiresAtMs: Infinity, rights: allRights } };
    },
    isAccepting: () => isAccepting,
    onError: (error) => faults.push(error),
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/api/v1/events`;
});

afterEach(async () => {
  await app.close();
  await log.close();
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

async function post(to: string, body: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const response = await fetch(to, { method: "POST", body, headers });
  const { date: _, vary: __, ...rest } = Object.fromEntries(response.headers);
  return { status: response.status, headers: rest, body: await response.json() };
}

const good = { authorization: "Bearer good", "content-type": "application/json" };
const event = '{"event_type":"A","event_id":"e","payload":1}';

describe("a plain publish", () => {
  it.each([
    ["a duplicate", event, good, 202],
    ["a duplicate and more", `[${event},{"event_type":"B","event_id":"f","payload":null}]`, good, 202],
    ["NDJSON", event, { ...good, "content-type": "application/x-ndjson" }, 202],
    ["a bad event", `[${event},{"event_type":"?","payload":1}]`, good, 400],
    ["no JSON", "{", good, 400],
    ["another content type", event, { ...good, "content-type": "text/html" }, 415],
    ["too many events", JSON.stringify(Array.from({ length: 4 }, () => JSON.parse(event) as unknown)), good, 413],
    ["too large a payload", JSON.stringify({ event_type: "A", payload: "x".repeat(1_000) }), good, 413],
    ["too large a body", " ".repeat(5_001), good, 413],
    ["an encoding", event, { ...good, "content-encoding": "gzip" }, 415],
    ["no token", event, { "content-type": "application/json" }, 401],
    ["a CloudEvent", event, { ...good, "ce-id": "1", "ce-type": "A", "ce-source": "s", "ce-specversion": "1.0" }, 202],
  ])("with %s is answered as through fastify", async (_, body, headers, status) => {
    for (const id of ["e", "f"]) await post(url, event.replace('"e"', `"${id}"`), good);
    const cloudEvent = { ...headers, ...("ce-id" in headers && { "content-type": "application/json" }) };
    await post(url, body, cloudEvent);
    refusals = [];
    routed = 0;
    const direct = await post(url, body, cloudEvent);
    const directRefusals = refusals.splice(0);
    const through = await post(`${url}?through=fastify`, body, cloudEvent);
    expect(direct).toEqual(through);
    expect(directRefusals).toEqual(refusals);
    expect(direct.status).toBe(status);
    expect(routed).toBeGreaterThan(0);
  });

  it("isn't routed, unless its head is refused, and asks once who sends it", async () => {
    await post(url, event, good);
    expect([routed, asked]).toEqual([0, 1]);
    await post(url, event, {});
    expect([routed, asked]).toEqual([1, 2]);
    await post(url, event, { ...good, origin: "https://elsewhere" });
    expect([routed, asked]).toEqual([2, 3]);
    isAccepting = false;
    expect(await post(url, event, good)).toMatchObject({ status: 503 });
    expect([routed, asked]).toEqual([3, 3]);
  });

  it("that fails by a fault of ours is answered with 500, and the fault is told", async () => {
    log.append = () => Promise.reject(new Error("a fault"));
    const direct = await post(url, event, good);
    const through = await post(`${url}?through=fastify`, event, good);
    expect(direct).toEqual(through);
    expect(direct).toMatchObject({ status: 500, body: { type: "urn:sluice:problem:internal-error" } });
    expect(faults).toEqual([new Error("a fault")]);
    expect(await post(url, "{", good)).toMatchObject({ status: 400 });
  });

  it("whose sender goes away in the middle of its body stores nothing and harms nobody", async () => {
    const gone = new AbortController();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(event.slice(0, 10))),
      pull: () => gone.abort(),
    });
    const headers = { ...good, "content-length": String(event.length) };
    const init = { method: "POST", body, headers, signal: gone.signal, duplex: "half" };
    await expect(fetch(url, init as RequestInit)).rejects.toMatchObject({ name: "AbortError" });
    expect(await post(url, event, good)).toMatchObject({ status: 202, body: { first_seq: 1 } });
  });
});
