// The table of bad input on the WebSocket: what is sent, and exactly what is answered. After each the process serves
// on; after a bad command the connection does too.
import {
  closePayload,
  frameBytes,
  mint,
  opcodes,
  RawClient,
  RawSocket,
  request,
  startServer,
  upgradeRequest,
  type UpgradeLines,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const token = mint();

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer({ server: { allowed_origins: [] } });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

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
    [
      "whose type comes from the prototype",
      '{"__proto__":{"type":"ping"}}',
      "INVALID_MESSAGE",
      '"type" must be a string',
    ],
    [
      "of a type that isn't",
      { type: "publish" },
      "UNKNOWN_MESSAGE_TYPE",
      '"type" must be one of subscribe, unsubscribe, ping, pong, refresh',
    ],
    [
      "of the server's own type",
      { type: "event", seq: 1 },
      "UNKNOWN_MESSAGE_TYPE",
      '"type" must be one of subscribe, unsubscribe, ping, pong, refresh',
    ],
    [
      "named constructor",
      { type: "constructor" },
      "UNKNOWN_MESSAGE_TYPE",
      '"type" must be one of subscribe, unsubscribe, ping, pong, refresh',
    ],
    [
      "whose id is a number",
      { type: "subscribe", id: 7, events: ["A"] },
      "INVALID_MESSAGE",
      '"id" must be a string of at most 128 characters',
    ],
    [
      "whose id is too long",
      { type: "subscribe", id: "x".repeat(129), events: ["A"] },
      "INVALID_MESSAGE",
      '"id" must be a string of at most 128 characters',
    ],
    [
      "ping with an object",
      { type: "ping", timestamp: {} },
      "INVALID_MESSAGE",
      '"timestamp" must be a number or a string of at most 64 characters',
    ],
    [
      "ping with a timestamp too long",
      { type: "ping", timestamp: "x".repeat(65) },
      "INVALID_MESSAGE",
      '"timestamp" must be a number or a string of at most 64 characters',
    ],
    [
      "ping with 1e999",
      '{"type":"ping","timestamp":1e999}',
      "INVALID_MESSAGE",
      '"timestamp" must be a number or a string of at most 64 characters',
    ],
    ["subscribe to nothing", { type: "subscribe" }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to an empty list", { type: "subscribe", events: [] }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to a string", { type: "subscribe", events: "*" }, "INVALID_SUBSCRIPTION", eventsRule],
    ["subscribe to 101 names", { type: "subscribe", events: many(101) }, "INVALID_SUBSCRIPTION", eventsRule],
    [
      "subscribe to a number",
      { type: "subscribe", events: ["A", 1] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[1]"),
    ],
    [
      "subscribe to an empty name",
      { type: "subscribe", events: [""] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to a name too long",
      { type: "subscribe", events: ["x".repeat(129)] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to a name with a space",
      { type: "subscribe", events: ["A B"] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to a name with a line end",
      { type: "subscribe", events: ["A\n"] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to a star in the middle",
      { type: "subscribe", events: ["A*B"] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to two stars",
      { type: "subscribe", events: ["A**"] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe to a lone surrogate",
      '{"type":"subscribe","events":["\\ud800"]}',
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    [
      "subscribe in a cluster pattern",
      { type: "subscribe", events: ["A"], clusters: ["c-*"] },
      "INVALID_SUBSCRIPTION",
      `"clusters[0]" must be a name (${names})`,
    ],
    [
      "subscribe in clusters that are a string",
      { type: "subscribe", events: ["A"], clusters: "c" },
      "INVALID_SUBSCRIPTION",
      '"clusters" must be an array of at most 1000 cluster names; [] means all',
    ],
    [
      "subscribe in 1,001 clusters",
      { type: "subscribe", events: ["A"], clusters: many(1001) },
      "INVALID_SUBSCRIPTION",
      '"clusters" must be an array of at most 1000 cluster names; [] means all',
    ],
    ["subscribe since -1", { type: "subscribe", events: ["A"], since: -1 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since 1.5", { type: "subscribe", events: ["A"], since: 1.5 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since 2^53", { type: "subscribe", events: ["A"], since: 2 ** 53 }, "INVALID_SUBSCRIPTION", sinceRule],
    ["subscribe since a string", { type: "subscribe", events: ["A"], since: "0" }, "INVALID_SUBSCRIPTION", sinceRule],
    [
      "subscribe of a numeric epoch",
      { type: "subscribe", events: ["A"], epoch: 1 },
      "INVALID_SUBSCRIPTION",
      '"epoch" must be the string that "connected" gave',
    ],
    ["unsubscribe from nothing", { type: "unsubscribe" }, "INVALID_SUBSCRIPTION", eventsRule],
    [
      "unsubscribe from a bad name",
      { type: "unsubscribe", events: ["?"] },
      "INVALID_SUBSCRIPTION",
      patternRule("events[0]"),
    ],
    ["refresh without a token", { type: "refresh" }, "INVALID_MESSAGE", '"token" must be a non-empty string'],
    [
      "refresh with an empty token",
      { type: "refresh", token: "" },
      "INVALID_MESSAGE",
      '"token" must be a non-empty string',
    ],
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
    expect(await client.ask({ type: "subscribe", id: "mine", events: [] })).toMatchObject({
      code: "INVALID_SUBSCRIPTION",
    });
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
    [
      "a length over 2^53",
      Buffer.from([0x81, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0]),
      { code: 1009, reason: "Message too big" },
    ],
  ];
  it.each(frames)("%s", async (_name, bytes, expected) => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    raw.send(bytes);
    expect(await raw.closeFrame()).toEqual(expected);
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
    [
      "a key of 15 bytes",
      { headers: { "Sec-WebSocket-Key": Buffer.alloc(15).toString("base64") } },
      400,
      "bad-request",
    ],
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

it("the process that took all of it is as it was", async () => {
  expect((await request(server.url, "/readyz")).status).toBe(200);
  expect(server.logged.filter((line) => (line["level"] as number) >= 50)).toEqual([]);
});
