import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  allRights,
  type AuthFailureReason,
  authFailures,
  problemServerOptions,
  registerProblemHandlers,
  type Rights,
} from "@sluice/runtime";
import type { EventLog } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { publishRoute } from "./publish-route.js";
import { createPublisher } from "./publisher.js";

const clock = { now: () => performance.now(), wall: () => Date.UTC(2026, 0, 31, 12) };
const limits = { payload_bytes: 64, publish_body_bytes: 70_000, publish_batch_events: 3 };
const textMax = 6 * 64 + 65_536;
const good = { event_type: "GPU_UPDATE", cluster_id: "c-1", event_id: "e1", payload: { t: 70 } };
const ce = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "GPU_UPDATE" };
const cloudEvent = { specversion: "1.0", id: "1", source: "/s", type: "GPU_UPDATE" };

const json = "application/json";
const ndjson = "application/x-ndjson";
const structured = "application/cloudevents+json";
const batched = "application/cloudevents-batch+json";

let log: EventLog;
let app: FastifyInstance;
let rights: Rights;
let failure: AuthFailureReason | undefined;
let isAccepting: boolean;
let refusals: string[];

beforeEach(() => {
  log = createMemoryLog({
    clock,
    retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
    dedup: { windowMs: 60_000, maxIds: 1_000 },
  });
  rights = allRights;
  failure = undefined;
  isAccepting = true;
  refusals = [];
  app = Fastify(problemServerOptions);
  registerProblemHandlers(app);
  const meter = { accepted: () => {}, refused: (reason: string) => refusals.push(reason) };
  void app.register(publishRoute, {
    publisher: createPublisher({ log, limits, clock, meter }),
    clock,
    authenticate: async () =>
      failure === undefined
        ? { ok: true, identity: { userId: "alice", expiresAtMs: Infinity, rights } }
        : { ok: false, reason: failure, status: authFailures[failure].status },
    isAccepting: () => isAccepting,
    onError: () => undefined,
  });
});

afterEach(async () => {
  await app.close();
  await log.close();
});

type Headers = Readonly<Record<string, string>>;

function post(contentType: string | undefined, body: string | Buffer | object, headers: Headers = {}) {
  const payload = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type: Headers = contentType === undefined ? {} : { "content-type": contentType };
  return app.inject({ method: "POST", url: "/api/v1/events", payload, headers: { ...type, ...headers } });
}

async function stored(): Promise<unknown[]> {
  const { records } = await log.read(0, { limit: 100 });
  return records.map(({ fields }) => JSON.parse(`{${fields.toString()}}`) as unknown);
}

describe("POST /api/v1/events", () => {
  const two = [good, { ...good, event_id: "e2" }];
  const event = {
    event_id: "e1",
    event_type: "GPU_UPDATE",
    cluster_id: "c-1",
    timestamp: "2026-01-31T12:00:00.000Z",
    payload: { t: 70 },
  };
  const fromCloud = { event_id: "1", event_type: "GPU_UPDATE", timestamp: "2026-01-31T12:00:00.000Z", source: "/s" };
  const lines = two.map((one) => JSON.stringify(one)).join("\n");

  it.each<[string, string, string | Buffer | object, Headers, readonly object[]]>([
    ["an object", json, good, {}, [event]],
    ["an object in a pretty form", json, JSON.stringify(good, null, 2), {}, [event]],
    ["an object with a charset", "application/json; charset=UTF-8", good, {}, [event]],
    ["an object with a quoted charset", 'Application/JSON;charset="utf-8"', good, {}, [event]],
    ["an object behind a byte order mark", json, `\ufeff${JSON.stringify(good)}`, {}, [event]],
    ["an array", json, two, {}, [event, { ...event, event_id: "e2" }]],
    ["NDJSON", ndjson, lines, {}, [event, { ...event, event_id: "e2" }]],
    [
      "NDJSON by its other name, with blank lines",
      "application/ndjson",
      `\n${lines}\r\n\n`,
      {},
      [event, { ...event, event_id: "e2" }],
    ],
    [
      "a CloudEvent",
      structured,
      { ...cloudEvent, clusterid: "c-1", data: 1 },
      {},
      [{ ...fromCloud, cluster_id: "c-1", payload: 1 }],
    ],
    [
      "a CloudEvent whose headers say so too",
      structured,
      { ...cloudEvent, data: 1 },
      { ...ce, "ce-id": "other" },
      [{ ...fromCloud, payload: 1 }],
    ],
    [
      "a batch of CloudEvents",
      batched,
      [
        { ...cloudEvent, data: 1 },
        { ...cloudEvent, id: "2" },
      ],
      {},
      [
        { ...fromCloud, payload: 1 },
        { ...fromCloud, event_id: "2", payload: null },
      ],
    ],
    ["binary mode with JSON", "application/json", '{"t": 70}', ce, [{ ...fromCloud, payload: { t: 70 } }]],
    ["binary mode with a JSON suffix", "application/vnd.gpu+json", "[1]", ce, [{ ...fromCloud, payload: [1] }]],
    ["binary mode with text", "text/plain; charset=utf-8", "é", ce, [{ ...fromCloud, payload: "é" }]],
    [
      "binary mode with bytes",
      "image/png",
      Buffer.from([0xff, 0]),
      ce,
      [{ ...fromCloud, payload: { data_base64: "/wA=" } }],
    ],
    ["binary mode without data", "application/json", "", ce, [{ ...fromCloud, payload: null }]],
    [
      "binary mode with encoded headers",
      json,
      "1",
      { ...ce, "ce-subject": "Euro%20%E2%82%AC" },
      [{ ...fromCloud, subject: "Euro €", payload: 1 }],
    ],
    [
      "prototype keys in a payload",
      json,
      '{"event_type":"GPU_UPDATE","event_id":"e1","cluster_id":"c-1","payload":{"__proto__":1}}',
      {},
      [{ ...event, payload: JSON.parse('{"__proto__":1}') as object }],
    ],
    [
      "the last of a key given twice",
      json,
      '{"event_type":"A","event_type":"GPU_UPDATE","event_id":"e1","cluster_id":"c-1","payload":{"t":1,"t":70}}',
      {},
      [event],
    ],
  ])("takes %s", async (_, contentType, body, headers, events) => {
    const response = await post(contentType, body, headers);
    expect(response.json()).toEqual({ accepted: events.length, first_seq: 1, last_seq: events.length });
    expect(response.statusCode).toBe(202);
    expect(await stored()).toEqual(events);
  });

  it("takes binary mode without a content type as bytes", async () => {
    expect((await post(undefined, "x", ce)).statusCode).toBe(202);
    expect(await stored()).toEqual([{ ...fromCloud, payload: { data_base64: "eA==" } }]);
  });

  it("accepts an event again and says that it was a duplicate", async () => {
    await post(json, good);
    const response = await post(json, good);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ accepted: 1, first_seq: 1, last_seq: 1, duplicates: 1 });
  });

  it("takes as many events as a batch may hold, and no more", async () => {
    const events = (count: number) => Array.from({ length: count }, () => ({ event_type: "A", payload: 1 }));
    expect((await post(json, events(2))).statusCode).toBe(202);
    expect((await post(json, events(3))).statusCode).toBe(202);
    const response = await post(json, events(4));
    expect(response.json()).toMatchObject({ type: "urn:sluice:problem:batch-too-large", allowed: 3 });
    expect(response.statusCode).toBe(413);
  });

  it("takes a body of the greatest length, and no longer one, told of it beforehand or not", async () => {
    const padded = (bytes: number) => `${JSON.stringify([good])}${" ".repeat(bytes)}`.slice(0, bytes);
    expect((await post(json, padded(69_999))).statusCode).toBe(202);
    expect((await post(json, padded(70_000))).statusCode).toBe(202);
    const response = await post(json, padded(70_001));
    expect(response.statusCode).toBe(413);
    expect(response.json()).toMatchObject({ type: "urn:sluice:problem:body-too-large", allowed: 70_000 });
    const chunked = await app.inject({
      method: "POST",
      url: "/api/v1/events",
      headers: { "content-type": json, "transfer-encoding": "chunked" },
      payload: padded(70_001),
    });
    expect(chunked.json()).toMatchObject({ type: "urn:sluice:problem:body-too-large", allowed: 70_000 });
  });
});

interface Expected {
  readonly name: string;
  readonly status: number;
  readonly detail: string;
  readonly index?: number;
  readonly line?: number;
  readonly field?: string;
  readonly allowed?: unknown;
}

function malformed(index: number, line?: number): Expected {
  const place = line === undefined ? `Event ${index}` : `Event ${index} (line ${line})`;
  const where = line === undefined ? { index } : { index, line };
  return { name: "malformed-body", status: 400, detail: `${place} is not JSON`, ...where };
}

function invalid(index: number, field: string | undefined, problem: string, line?: number): Expected {
  const place = line === undefined ? `Event ${index}` : `Event ${index} (line ${line})`;
  const detail = `${place}: ${field ?? "it"} ${problem}`;
  return {
    name: "invalid-event",
    status: 400,
    detail,
    index,
    ...(line !== undefined && { line }),
    ...(field !== undefined && { field }),
  };
}

function payloadTooLarge(index: number, field: string, line?: number): Expected {
  const { detail } = invalid(index, field, "must be at most 64 bytes of JSON", line);
  const where = line === undefined ? { index } : { index, line };
  return { name: "payload-too-large", status: 413, detail, ...where, field, allowed: 64 };
}

const noEvents: Expected = { name: "no-events", status: 400, detail: "The body holds no event" };
const notUtf8: Expected = { name: "malformed-body", status: 400, detail: "The body is not UTF-8" };
const mediaTypes = [json, ndjson, "application/ndjson", structured, batched];
const unsupported: Expected = {
  name: "unsupported-media-type",
  status: 415,
  detail: `Content-Type must be one of ${mediaTypes.join(", ")}`,
  allowed: mediaTypes,
};
const badCharset: Expected = {
  name: "unsupported-media-type",
  status: 415,
  detail: "The charset must be utf-8",
  allowed: ["utf-8", "utf8", "us-ascii"],
};
const grammar = "must be 1 to 128 of A-Z a-z 0-9 _ . : -";
const outOfRange = "holds a number outside the range of IEEE 754 double (RFC 8259 §6)";
const farTooDeep = "must not be nested more than 1000 levels deep";
const tooDeep = "must not be nested more than 61 levels deep";
const eventTooLarge = (index: number, line?: number): Expected => ({
  name: "event-too-large",
  status: 413,
  detail: `Event ${index}${line === undefined ? "" : ` (line ${line})`} is longer than ${textMax} bytes`,
  index,
  ...(line !== undefined && { line }),
  allowed: textMax,
});
const deep = (levels: number) => `{"event_type":"A","payload":${"[".repeat(levels)}${"]".repeat(levels)}}`;
const goodText = JSON.stringify(good);

describe("a bad body", () => {
  it.each<[string | undefined, string | Buffer | object, Expected, Headers?]>([
    [json, "", noEvents],
    [undefined, "", unsupported],
    [json, " \r\n\t", noEvents],
    [json, "\ufeff", noEvents],
    [json, "[]", noEvents],
    [json, "[ ]", noEvents],
    [ndjson, "", noEvents],
    [ndjson, "\n\n \r\n", noEvents],
    [batched, "[]", noEvents],
    [structured, "", noEvents],
    [undefined, goodText, unsupported],
    ["text/plain", goodText, unsupported],
    ["application/x-www-form-urlencoded", goodText, unsupported],
    ["application/jsonp", goodText, unsupported],
    ["application/cloudevents+avro", goodText, unsupported],
    ["application/cloudevents+avro", goodText, unsupported, ce],
    ["constructor/x", goodText, unsupported],
    ["application/json; charset=iso-8859-1", goodText, badCharset],
    ['application/x-ndjson; charset="UTF-16"', goodText, badCharset],
    ["text/plain; charset=latin1", "x", badCharset, ce],
    [json, Buffer.from([0x22, 0xff, 0x22]), notUtf8],
    [ndjson, Buffer.concat([Buffer.from(goodText), Buffer.from([0x0a, 0xc0, 0xa0])]), notUtf8],
    [json, Buffer.from(goodText, "utf16le"), malformed(0)],
    ["text/plain", Buffer.from([0xed, 0xa0, 0x80]), notUtf8, ce],
    [json, "{", malformed(0)],
    [json, "nope", malformed(0)],
    [json, `${goodText} ${goodText}`, malformed(0)],
    [json, goodText.replaceAll('"', "'"), malformed(0)],
    [json, "NaN", malformed(0)],
    [json, "[", malformed(0)],
    [json, `[${goodText}`, malformed(1)],
    [json, `[${goodText},]`, malformed(1)],
    [json, `[${goodText}] x`, malformed(1)],
    [json, `[${goodText}][${goodText}]`, malformed(1)],
    [json, `[${goodText} ${goodText}]`, malformed(0)],
    [json, '[{"a":1]', malformed(0)],
    [ndjson, `${goodText}\n\n{"event_type":`, malformed(1, 3)],
    [ndjson, `[${goodText}]`, invalid(0, undefined, "must be a JSON object", 1)],
    [ndjson, `${goodText}\n${goodText} ${goodText}`, malformed(1, 2)],
    [json, "null", invalid(0, undefined, "must be a JSON object")],
    [json, '"GPU_UPDATE"', invalid(0, undefined, "must be a JSON object")],
    [json, [good, [good]], invalid(1, undefined, "must be a JSON object")],
    [json, { event_type: "A" }, invalid(0, "payload", "is required; send null for none")],
    [json, { payload: 1 }, invalid(0, "event_type", "is required")],
    [json, { ...good, event_type: "GPU_*" }, invalid(0, "event_type", grammar)],
    [json, [good, { ...good, event_type: "" }], invalid(1, "event_type", grammar)],
    [ndjson, `\n${goodText}\n{"event_type":"A B","payload":1}`, invalid(1, "event_type", grammar, 3)],
    [json, { ...good, cluster_id: "c/1" }, invalid(0, "cluster_id", grammar)],
    [
      json,
      { ...good, timestamp: "today" },
      invalid(0, "timestamp", "must be an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z"),
    ],
    [json, '{"event_type":"A","payload":1e999}', invalid(0, "payload", outOfRange)],
    [json, '{"event_type":"A","payload":{"a":[-1e999]}}', invalid(0, "payload", outOfRange)],
    [json, deep(62), invalid(0, "payload", tooDeep)],
    [json, deep(1_000), invalid(0, "payload", tooDeep)],
    [json, deep(30_000), invalid(0, undefined, farTooDeep)],
    [json, "[".repeat(69_000), eventTooLarge(0)],
    [json, '{"a":'.repeat(13_000), invalid(0, undefined, farTooDeep)],
    [json, '{"a":'.repeat(900), malformed(0)],
    [json, { ...good, payload: "a".repeat(63) }, payloadTooLarge(0, "payload")],
    [ndjson, JSON.stringify({ ...good, payload: "é".repeat(32) }), payloadTooLarge(0, "payload", 1)],
    [json, `[${goodText},${" ".repeat(textMax)}${goodText}]`, eventTooLarge(1)],
    [ndjson, `{"event_type":"A","payload":1,"x":"${"a".repeat(textMax)}"}`, eventTooLarge(0, 1)],
    [structured, [cloudEvent], invalid(0, undefined, "must be a JSON object")],
    [structured, { ...cloudEvent, specversion: "0.3" }, invalid(0, "specversion", 'must be "1.0"')],
    [structured, { ...cloudEvent, type: "a/b" }, invalid(0, "type", grammar)],
    [structured, { ...cloudEvent, data: "a".repeat(63) }, payloadTooLarge(0, "data")],
    [batched, cloudEvent, malformed(0)],
    [batched, [cloudEvent, { ...cloudEvent, id: null }], invalid(1, "id", "is required")],
    [json, "{}", invalid(0, "ce-id", "is required"), { "ce-type": "A", "ce-specversion": "1.0" }],
    [
      json,
      "{}",
      invalid(0, "ce-subject", "must be given once, in percent-encoded UTF-8"),
      { ...ce, "ce-subject": "%C0%A0" },
    ],
    [json, "{", malformed(0), ce],
    [json, "1e999", invalid(0, "data", outOfRange), ce],
    ["image/png", Buffer.alloc(64), payloadTooLarge(0, "data"), ce],
    ["image/png", Buffer.alloc(textMax + 1), eventTooLarge(0), ce],
  ])("of %s is refused, case %#", async (contentType, body, expected, headers) => {
    const response = await post(contentType, body, headers);
    const { name, ...members } = expected;
    expect(response.json()).toEqual({
      type: `urn:sluice:problem:${name}`,
      title: expect.stringMatching(/./) as unknown,
      ...members,
    });
    expect(response.statusCode).toBe(expected.status);
    expect(response.headers["content-type"]).toBe("application/problem+json");
    expect(refusals).toEqual([name]);
    expect(log.head).toBe(0);
  });
});

describe("who may publish", () => {
  const some = { events: ["GPU_*"], clusters: ["c-1"], publish: true, admin: false };

  it.each<[Rights, object, Expected["field"], string, Headers?]>([
    [some, [good, { ...good, event_type: "ALERT" }], "event_type", json],
    [some, [good, { ...good, cluster_id: "c-2" }], "cluster_id", json],
    [some, [good, { event_type: "GPU_UPDATE", payload: 1 }], "cluster_id", json],
    [{ ...some, publish: false, alternatives: [{ ...some, clusters: ["c-3"] }] }, [good], "cluster_id", json],
    [
      some,
      [
        { ...cloudEvent, clusterid: "c-1" },
        { ...cloudEvent, type: "A", clusterid: "c-1" },
      ],
      "type",
      batched,
    ],
    [some, {}, "ce-clusterid", json, ce],
    [some, {}, "ce-type", json, { ...ce, "ce-type": "A", "ce-clusterid": "c-1" }],
  ])("refuses by the field, case %#", async (given, body, field, contentType, headers) => {
    rights = given;
    const response = await post(contentType, body, headers);
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({
      type: "urn:sluice:problem:forbidden",
      field,
      index: Array.isArray(body) ? body.length - 1 : 0,
    });
    expect(log.head).toBe(0);
  });

  it("takes what the rights allow", async () => {
    rights = some;
    expect((await post(json, good)).statusCode).toBe(202);
  });

  it("asks for the scope", async () => {
    rights = { ...allRights, publish: false };
    const response = await post(json, "not even JSON");
    expect(response.statusCode).toBe(403);
    expect(response.json()).toMatchObject({ type: "urn:sluice:problem:insufficient-scope", scope: "events:publish" });
    expect(response.headers["www-authenticate"]).toContain('error="insufficient_scope"');
  });

  it.each<[AuthFailureReason, number, string, string | undefined, string | undefined]>([
    ["missing", 401, "authentication-required", "Bearer", undefined],
    [
      "expired",
      401,
      "invalid-token",
      'Bearer error="invalid_token", error_description="The token has expired"',
      undefined,
    ],
    ["issuer_unavailable", 503, "authentication-unavailable", undefined, "1"],
  ])("%s is %i %s", async (reason, status, name, challenge, retryAfter) => {
    failure = reason;
    const response = await post(json, "not even JSON");
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ type: `urn:sluice:problem:${name}`, status });
    expect(response.headers["www-authenticate"]).toBe(challenge);
    expect(response.headers["retry-after"]).toBe(retryAfter);
    expect(refusals).toEqual([name]);
  });
});

describe("a publish that can't be taken now", () => {
  it("is told to come back while the service drains, before it is authenticated", async () => {
    isAccepting = false;
    failure = "missing";
    const response = await post(json, good);
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ type: "urn:sluice:problem:unavailable" });
    expect(response.headers["retry-after"]).toBe("1");
  });

  it("is told to come back when the log is closed", async () => {
    await log.close();
    const response = await post(json, good);
    expect(response.statusCode).toBe(503);
    expect(response.headers["retry-after"]).toBe("1");
    expect(refusals).toEqual(["LOG_CLOSED"]);
  });

  it.each(["gzip", "br", "identity, gzip", "x"])("is refused in the content coding %s", async (coding) => {
    const response = await post(json, good, { "content-encoding": coding });
    expect(response.statusCode).toBe(415);
    expect(response.headers["accept-encoding"]).toBe("identity");
    expect(response.json()).toMatchObject({ field: "content-encoding", allowed: ["identity"] });
  });

  it("takes the content coding identity, which is none", async () => {
    expect((await post(json, good, { "content-encoding": "Identity" })).statusCode).toBe(202);
  });
});
