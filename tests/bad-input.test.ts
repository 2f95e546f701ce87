// The table of bad input: what is sent, and exactly what is answered. After each the process serves on; after a bad
// command the connection does too.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  closePayload,
  frameBytes,
  mint,
  opcodes,
  publisherToken,
  RawClient,
  RawSocket,
  request,
  sluiceProgram,
  startServer,
  upgradeRequest,
  type UpgradeLines,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  const limits = { payload_bytes: 1000, publish_batch_events: 5, publish_body_bytes: 20_000, message_bytes: 65_536 };
  server = await startServer({ auth: { audience: ["sluice"], issuer: "https://id.example" }, limits, server: { allowed_origins: [] } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

const claims = { iss: "https://id.example", aud: "sluice" };
const token = mint(claims);
const publisher = publisherToken(claims);

const names = "1 to 128 of A-Z a-z 0-9 _ . : -";
const eventsRule = '"events" must be an array of 1 to 100 event names or patterns';
const patternRule = (place: string): string => `"${place}" must be a name (${names}), a name with a trailing *, or *`;
const many = (count: number): string[] => Array.from({ length: count }, (_, n) => `E${n}`);

describe("a command", () => {
  const notJson = "the message is not JSON; send one JSON object a frame";
  const notObject = "the message is not a JSON object";
  const sinceRule = '"since" must be an integer from 0 to 2^53 - 1';
  const commands: readonly [string, unknown, string, string][] = [
    ["empty", "", "INVALID_MESSAGE", notJson],
    ["a word", "hello", "INVALID_MESSAGE", notJson],
    ["JSON with a comma too many", '{"type":"ping",}', "INVALID_MESSAGE", notJson],
    ["two objects", '{"type":"ping"}{"type":"ping"}', "INVALID_MESSAGE", notJson],
    ["NaN", '{"type":"ping","timestamp":NaN}', "INVALID_MESSAGE", notJson],
    ["brackets 60,000 deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`, "INVALID_MESSAGE", notObject],
    ["brackets never closed", "[".repeat(60_000), "INVALID_MESSAGE", notJson],
    ["a string", '"ping"', "INVALID_MESSAGE", notObject],
    ["null", "null", "INVALID_MESSAGE", notObject],
    ["an array", [{ type: "ping" }], "INVALID_MESSAGE", notObject],
    ["without type", { timestamp: 1 }, "INVALID_MESSAGE", '"type" must be a string'],
    ["whose type is a number", { type: 1 }, "INVALID_MESSAGE", '"type" must be a string'],
    ["whose type comes from the prototype", '{"__proto__":{"type":"ping"}}', "INVALID_MESSAGE", '"type" must be a string'],
    ["of a type that isn't", { type: "publish" }, "UNKNOWN_MESSAGE_TYPE", '"type" must be one of subscribe, unsubscribe, ping, pong, refresh'],
    ["of the server's own type", { type: "event", seq: 1 }, "UNKNOWN_MESSAGE_TYPE", '"type" must be one of subscribe, unsubscribe, ping, pong, refresh'],
    ["named constructor", { type: "constructor" }, "UNKNOWN_MESSAGE_TYPE", '"type" must be one of subscribe, unsubscribe, ping, pong, refresh'],
    ["whose id is a number", { type: "subscribe", id: 7, events: ["A"] }, "INVALID_MESSAGE", '"id" must be a string of at most 128 characters'],
    ["whose id is too long", { type: "subscribe", id: "x".repeat(129), events: ["A"] }, "INVALID_MESSAGE", '"id" must be a string of at most 128 characters'],
    ["ping with an object", { type: "ping", timestamp: {} }, "INVALID_MESSAGE", '"timestamp" must be a number or a string of at most 64 characters'],
    ["ping with a timestamp too long", { type: "ping", timestamp: "x".repeat(65) }, "INVALID_MESSAGE", '"timestamp" must be a number or a string of at most 64 characters'],
    ["ping with 1e999", '{"type":"ping","timestamp":1e999}', "INVALID_MESSAGE", '"timestamp" must be a number or a string of at most 64 characters'],
    ["subscribe to nothing", { type: "subscribe" }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to an empty list", { type: "subscribe", events: [] }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to a string", { type: "subscribe", events: "*" }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to 101 names", { type: "subscribe", events: many(101) }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to a number", { type: "subscribe", events: ["A", 1] }, "INVALID_SUBSCRIPTION", patternRule("events[1]")],
    ["subscribe to an empty name", { type: "subscribe", events: [""] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to a name too long", { type: "subscribe", events: ["x".repeat(129)] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to a name with a space", { type: "subscribe", events: ["A B"] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to a name with a line end", { type: "subscribe", events: ["A\n"] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to a star in the middle", { type: "subscribe", events: ["A*B"] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to two stars", { type: "subscribe", events: ["A**"] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe to a lone surrogate", '{"type":"subscribe","events":["\\ud800"]}', "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["subscribe in a cluster pattern", { type: "subscribe", events: ["A"], clusters: ["c-*"] }, "INVALID_SUBSCRIPTION", `"clusters[0]" must be a name (${names})`],
    ["subscribe in clusters that are a string", { type: "subscribe", events: ["A"], clusters: "c" }, "INVALID_SUBSCRIPTION", '"clusters" must be an array of at most 1000 cluster names; [] means all'],
    ["subscribe in 1,001 clusters", { type: "subscribe", events: ["A"], clusters: many(1001) }, "INVALID_SUBSCRIPTION", '"clusters" must be an array of at most 1000 cluster names; [] means all'],
    ["subscribe since -1", { type: "subscribe", events: ["A"], since: -1 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since 1.5", { type: "subscribe", events: ["A"], since: 1.5 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since 2^53", { type: "subscribe", events: ["A"], since: 2 ** 53 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since a string", { type: "subscribe", events: ["A"], since: "0" }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe of a numeric epoch", { type: "subscribe", events: ["A"], epoch: 1 }, "INVALID_SUBSCRIPTION", '"epoch" must be the string that "connected" gave'],
    ["unsubscribe from nothing", { type: "unsubscribe" }, "INVALID_SUBSCRIPTION", eventsRule],
    ["unsubscribe from a bad name", { type: "unsubscribe", events: ["?"] }, "INVALID_SUBSCRIPTION", patternRule("events[0]")],
    ["refresh without a token", { type: "refresh" }, "INVALID_MESSAGE", '"token" must be a non-empty string'],
    ["refresh with an empty token", { type: "refresh", token: "" }, "INVALID_MESSAGE", '"token" must be a non-empty string'],
  ];
  it.each(commands)("%s", async (_name, input, code, message) => {
    await using client = await RawClient.connect(server.url, { token });
    await client.next("connected");
    client.sendText(typeof input === "string" ? input : JSON.stringify(input));
    expect(await client.take()).toEqual({ type: "error", code, message });
    client.send({ type: "ping" });
    expect(await client.take(), "the connection lives on").toMatchObject({ type: "pong" });
  });

  it("with an id gets it back in its error", async () => {
    await using client = await RawClient.connect(server.url, { token });
    expect(await client.ask({ type: "subscribe", id: "mine", events: [] })).toMatchObject({ code: "INVALID_SUBSCRIPTION" });
    expect(await client.ask({ type: "nothing", id: "mine too" })).toMatchObject({ code: "UNKNOWN_MESSAGE_TYPE" });
  });
});

describe("a frame closes the connection:", () => {
  const broken = { code: 1002, reason: "Protocol error" };
  const badText = { code: 1007, reason: "Invalid UTF-8" };
  const textOnly = { code: 1003, reason: "Text frames only" };
  const close = (payload: Uint8Array | string): Buffer => frameBytes({ opcode: opcodes.close, payload });
  const start = frameBytes({ fin: false, payload: "{" });
  const frames: readonly [string, Buffer, { code: number; reason: string }][] = [
    ["RSV1", frameBytes({ rsv: 4, payload: "{}" }), broken],
    ["RSV2", frameBytes({ rsv: 2, payload: "{}" }), broken],
    ["RSV3", frameBytes({ rsv: 1, payload: "{}" }), broken],
    ["a reserved opcode", frameBytes({ opcode: 3, payload: "{}" }), broken],
    ["a reserved control opcode", frameBytes({ opcode: 0xf }), broken],
    ["no mask", frameBytes({ masked: false, payload: "{}" }), broken],
    ["a ping in fragments", frameBytes({ opcode: opcodes.ping, fin: false }), broken],
    ["a ping of 126 bytes", frameBytes({ opcode: opcodes.ping, payload: "x".repeat(126) }), broken],
    ["a continuation of nothing", frameBytes({ opcode: opcodes.continuation, payload: "{}" }), broken],
    ["a text within a text", Buffer.concat([start, frameBytes({ payload: "}" })]), broken],
    ["a close of one byte", close("x"), broken],
    ["close code 0", close(closePayload(0)), broken],
    ["close code 999", close(closePayload(999)), broken],
    ["close code 1004", close(closePayload(1004)), broken],
    ["close code 1005", close(closePayload(1005)), broken],
    ["close code 1006", close(closePayload(1006)), broken],
    ["close code 1015", close(closePayload(1015)), broken],
    ["close code 5000", close(closePayload(5000)), broken],
    ["a close reason that is no UTF-8", close(Buffer.from([0x03, 0xe8, 0xff])), badText],
    ["text that is no UTF-8", frameBytes({ payload: Buffer.from([0xff]) }), badText],
    ["an overlong form", frameBytes({ payload: Buffer.from([0xc0, 0xaf]) }), badText],
    ["a surrogate in UTF-8", frameBytes({ payload: Buffer.from([0xed, 0xa0, 0x80]) }), badText],
    ["half a character at the end", frameBytes({ payload: Buffer.from([0x7b, 0xe2, 0x82]) }), badText],
    [
      "bad UTF-8 across fragments",
      Buffer.concat([
        frameBytes({ fin: false, payload: Buffer.from([0xe2]) }),
        frameBytes({ opcode: opcodes.continuation, payload: Buffer.from([0x28, 0xa1]) }),
      ]),
      badText,
    ],
    ["binary", frameBytes({ opcode: opcodes.binary, payload: "{}" }), textOnly],
    ["a length over the limit", frameBytes({ claimedLength: 65_537 }), { code: 1009, reason: "Message too big" }],
    ["a length over 2^53", Buffer.from([0x81, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0]), { code: 1009, reason: "Message too big" }],
  ];
  it.each(frames)("%s", async (_name, bytes, expected) => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    raw.send(bytes);
    expect(await raw.closeFrame()).toEqual(expected);
  });
});

describe("a token is refused with 401:", () => {
  const now = Math.floor(Date.now() / 1000);
  const unsigned = (alg: string): string => {
    const [, body] = token.split(".");
    return `${Buffer.from(JSON.stringify({ alg, typ: "JWT" })).toString("base64url")}.${body}.`;
  };
  const tokens: readonly [string, string, string][] = [
    ["not a JWT", "abc", "The token is not well-formed"],
    ["two parts", "abc.def", "The token is not well-formed"],
    ["alg none", unsigned("none"), "The token's signature algorithm is not accepted here"],
    ["alg NoNe", unsigned("NoNe"), "The token's signature algorithm is not accepted here"],
    ["another algorithm in its header", mint(claims, { header: { alg: "HS512" } }), "The token's signature algorithm is not accepted here"],
    ["another secret", mint(claims, { secret: "a secret that is somebody else's." }), "The token's signature does not verify"],
    ["expired", mint({ ...claims, exp: now - 60 }), "The token has expired"],
    ["not valid yet", mint({ ...claims, nbf: now + 600 }), "The token is not valid yet"],
    ["another issuer", mint({ ...claims, iss: "https://evil.example" }), "The token is from another issuer"],
    ["no issuer", mint({ aud: "sluice" }), "The token lacks a required claim"],
    ["another audience", mint({ ...claims, aud: "other" }), "The token is meant for another audience"],
    ["no audience", mint({ iss: claims.iss }), "The token lacks a required claim"],
    ["no user", mint({ ...claims, sub: undefined as unknown as string }), "The token lacks a required claim"],
    ["an empty user", mint({ ...claims, sub: "" }), "A claim of the token is malformed"],
    ["no expiry", mint({ ...claims, exp: undefined }), "The token lacks a required claim"],
    ["an expiry that is a string", mint({ ...claims, exp: String(now + 600) }), "A claim of the token is malformed"],
    ["events that are no list", mint({ ...claims, events: "GPU_*" as unknown as string[] }), "A claim of the token is malformed"],
    ["13 KiB", `${token}${"A".repeat(13_000)}`, "The token is too large"],
  ];
  it.each(tokens)("%s", async (_name, bad, detail) => {
    const atHandshake = await RawClient.refused(server.url, { token: bad });
    expect({ status: atHandshake.status, body: JSON.parse(atHandshake.body) as unknown }).toMatchObject({
      status: 401,
      body: { type: "urn:sluice:problem:invalid-token", detail },
    });
    const byHttp = await request(server.url, "/api/v1/tickets", { method: "POST", token: bad });
    expect(byHttp).toMatchObject({ status: 401, json: { type: "urn:sluice:problem:invalid-token", detail } });
    expect(byHttp.text).not.toContain(bad);
  });
});

describe("a publish is refused:", () => {
  const json = "application/json";
  const ndjson = "application/x-ndjson";
  const good = { event_type: "A", payload: 1 };
  interface Expected {
    readonly status: number;
    readonly name: string;
    readonly [member: string]: unknown;
  }
  const bodies: readonly [string, string, unknown, Expected][] = [
    ["an empty body", json, "", { status: 400, name: "no-events" }],
    ["an empty array", json, [], { status: 400, name: "no-events" }],
    ["only blank lines", ndjson, "\n \n", { status: 400, name: "no-events" }],
    ["no JSON", json, "{", { status: 400, name: "malformed-body" }],
    ["JSON and more", json, '{"event_type":"A","payload":1} x', { status: 400, name: "malformed-body" }],
    ["a comma too many", json, '[{"event_type":"A","payload":1},]', { status: 400, name: "malformed-body", index: 1 }],
    ["bytes that are no UTF-8", json, Buffer.from([0x22, 0xff, 0x22]), { status: 400, name: "malformed-body" }],
    ["a bad second line", ndjson, `${JSON.stringify(good)}\n{\n`, { status: 400, name: "malformed-body", index: 1, line: 2 }],
    ["a number", json, 7, { status: 400, name: "invalid-event", index: 0 }],
    ["no event_type", json, { payload: 1 }, { status: 400, name: "invalid-event", index: 0, field: "event_type" }],
    ["a bad event_type", json, [good, { ...good, event_type: "a b" }], { status: 400, name: "invalid-event", index: 1, field: "event_type" }],
    ["a pattern as event_type", json, { ...good, event_type: "GPU_*" }, { status: 400, name: "invalid-event", field: "event_type" }],
    ["an event_type too long", json, { ...good, event_type: "x".repeat(129) }, { status: 400, name: "invalid-event", field: "event_type" }],
    ["a bad cluster_id", json, { ...good, cluster_id: "" }, { status: 400, name: "invalid-event", field: "cluster_id" }],
    ["a numeric event_id", json, { ...good, event_id: 7 }, { status: 400, name: "invalid-event", field: "event_id" }],
    ["an event_id too long", json, { ...good, event_id: "x".repeat(257) }, { status: 400, name: "invalid-event", field: "event_id" }],
    ["an event_id with a line end", json, { ...good, event_id: "a\nb" }, { status: 400, name: "invalid-event", field: "event_id" }],
    ["no payload", json, { event_type: "A" }, { status: 400, name: "invalid-event", field: "payload" }],
    ["a timestamp without an offset", json, { ...good, timestamp: "2026-01-01T00:00:00" }, { status: 400, name: "invalid-event", field: "timestamp" }],
    ["the 30th of February", json, { ...good, timestamp: "2026-02-30T00:00:00Z" }, { status: 400, name: "invalid-event", field: "timestamp" }],
    ["a payload too large", json, { ...good, payload: "x".repeat(999) }, { status: 413, name: "payload-too-large", index: 0, allowed: 1000 }],
    ["too many events", json, Array.from({ length: 6 }, () => good), { status: 413, name: "batch-too-large", allowed: 5 }],
    ["a body too large", json, " ".repeat(20_001), { status: 413, name: "body-too-large", allowed: 20_000 }],
    ["another content type", "text/plain", "x", { status: 415, name: "unsupported-media-type" }],
    ["another charset", "application/json; charset=utf-16", good, { status: 415, name: "unsupported-media-type" }],
    ["a CloudEvent of another version", "application/cloudevents+json", { specversion: "0.3", id: "1", source: "/", type: "A" }, { status: 400, name: "invalid-event", field: "specversion" }],
    ["a CloudEvent without an id", "application/cloudevents+json", { specversion: "1.0", source: "/", type: "A" }, { status: 400, name: "invalid-event", field: "id" }],
  ];
  it.each(bodies)("%s", async (_name, contentType, input, { name, ...expected }) => {
    const body = typeof input === "string" || input instanceof Uint8Array ? input : JSON.stringify(input);
    const answer = await request(server.url, "/api/v1/events", {
      method: "POST",
      token: publisher,
      headers: { "content-type": contentType },
      body: body as string | Uint8Array<ArrayBuffer>,
    });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect({ ...(answer.json as object), status: answer.status }).toMatchObject({ ...expected, type: `urn:sluice:problem:${name}` });
  });

  const requests: readonly [string, { method?: string; path?: string; token?: string; headers?: Record<string, string> }, number, string][] = [
    ["no token", {}, 401, "authentication-required"],
    ["no scope", { token }, 403, "insufficient-scope"],
    ["compression", { token: publisher, headers: { "content-encoding": "gzip" } }, 415, "unsupported-media-type"],
    ["another method", { method: "PUT", token: publisher }, 405, "method-not-allowed"],
    ["another path", { path: "/api/v1/event", token: publisher }, 404, "not-found"],
    ["a path that is no path", { path: "/%ff", token: publisher }, 400, "bad-request"],
  ];
  it.each(requests)("%s", async (_name, { path = "/api/v1/events", method = "POST", ...options }, status, name) => {
    const headers = { "content-type": json, ...options.headers };
    const answer = await request(server.url, path, { ...options, method, headers, body: JSON.stringify(good) });
    expect(answer).toMatchObject({ status, json: { type: `urn:sluice:problem:${name}` } });
  });
});

describe("a handshake is refused:", () => {
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const handshakes: readonly [string, UpgradeLines, number, string][] = [
    ["no Host", { headers: { Host: null } }, 400, "bad-request"],
    ["two Hosts", { headers: { Host: ["a", "b"] } }, 400, "bad-request"],
    ["HTTP/1.0", { requestLine: "GET /ws HTTP/1.0" }, 400, "bad-request"],
    ["POST", { requestLine: "POST /ws HTTP/1.1" }, 405, "method-not-allowed"],
    ["another path", { requestLine: "GET /wss HTTP/1.1" }, 404, "not-found"],
    ["an absolute target", { requestLine: "GET http://localhost/ws HTTP/1.1" }, 400, "bad-request"],
    ["another Upgrade", { headers: { Upgrade: "h2c" } }, 400, "bad-request"],
    ["version 8", { headers: { "Sec-WebSocket-Version": "8" } }, 426, "upgrade-required"],
    ["no version", { headers: { "Sec-WebSocket-Version": null } }, 426, "upgrade-required"],
    ["two versions", { headers: { "Sec-WebSocket-Version": ["13", "13"] } }, 426, "upgrade-required"],
    ["no key", { headers: { "Sec-WebSocket-Key": null } }, 400, "bad-request"],
    ["two keys", { headers: { "Sec-WebSocket-Key": [key, key] } }, 400, "bad-request"],
    ["a key of 15 bytes", { headers: { "Sec-WebSocket-Key": Buffer.alloc(15).toString("base64") } }, 400, "bad-request"],
    ["a key that is no base64", { headers: { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" } }, 400, "bad-request"],
    ["a body", { headers: { "Content-Length": "5" } }, 400, "bad-request"],
    ["a chunked body", { headers: { "Transfer-Encoding": "chunked" } }, 400, "bad-request"],
    ["an Origin that isn't allowed", { headers: { Origin: "https://evil.example" } }, 403, "forbidden"],
    ["an unknown policy", { requestLine: "GET /ws?policy=drop HTTP/1.1" }, 400, "invalid-parameter"],
    ["a buffer of none", { requestLine: "GET /ws?max_messages=0 HTTP/1.1" }, 400, "invalid-parameter"],
    ["a buffer that is no number", { requestLine: "GET /ws?max_messages=1e3 HTTP/1.1" }, 400, "invalid-parameter"],
    ["headers of 20 KiB", { headers: { "X-Large": "x".repeat(20_000) } }, 431, "headers-too-large"],
    ["a header with NUL", { headers: { "X-Bad": "a\0b" } }, 400, "bad-request"],
  ];
  it.each(handshakes)("%s", async (_name, lines, status, name) => {
    await using raw = await RawSocket.connect(server.url);
    raw.send(upgradeRequest({ token, ...lines }));
    const head = await raw.head();
    expect({ status: head.status, body: JSON.parse(head.body) as unknown }).toMatchObject({
      status,
      body: { type: `urn:sluice:problem:${name}`, status },
    });
    expect(head.headers.get("connection")).toBe("close");
    if (status === 426) expect(head.headers.get("sec-websocket-version")).toBe("13");
    await raw.closed;
  });
});

describe("a configuration is refused by the command line:", () => {
  const run = promisify(execFile);
  const secret = "SLUICE_AUTH__HS256_SECRET";
  const configurations: readonly [string, readonly string[], Readonly<Record<string, string>>, string][] = [
    ["an unknown key", ["--heartbeat.intervall_ms=1000"], {}, "heartbeat.intervall_ms"],
    ["a word for a number", ["--heartbeat.interval_ms=soon"], {}, 'heartbeat.interval_ms is "soon"; allowed: an integer'],
    ["a number out of range", ["--server.port=65536"], {}, "server.port is 65536; allowed: an integer from 0 to 65535"],
    ["watermarks the wrong way round", ["--buffer.low_watermark=0.9"], {}, "buffer.low_watermark"],
    ["an unknown policy", [], { SLUICE_BUFFER__POLICY: "drop" }, 'buffer.policy is "drop"'],
    ["a close code of another's", ["--heartbeat.close_code=1002"], {}, "heartbeat.close_code"],
    ["nobody who could authenticate", [], { [secret]: "" }, "auth."],
    ["dev mode on all interfaces", ["--auth.dev", "--server.host=0.0.0.0"], {}, "auth.dev"],
    ["a file that isn't there", ["--config=/nowhere/sluice.yaml"], {}, "/nowhere/sluice.yaml"],
  ];
  it.each(configurations)("%s", async (_name, flags, env, expected) => {
    const options = { env: { PATH: process.env["PATH"] ?? "", [secret]: "x".repeat(32), ...env } };
    const refused = await run(process.execPath, [sluiceProgram, "serve", ...flags], options).then(
      () => undefined,
      (error: unknown) => error as { readonly code: number; readonly stderr: string; readonly stdout: string },
    );
    expect(refused?.code).toBe(78);
    expect(refused?.stderr).toContain(expected);
    expect(refused?.stdout).toBe("");
  });
});

it("the process that took all of it is as it was", async () => {
  expect((await request(server.url, "/readyz")).status).toBe(200);
  expect(server.logged.filter((line) => (line["level"] as number) >= 50)).toEqual([]);
});
