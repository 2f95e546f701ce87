import { describe, expect, it } from "vitest";
import { handshakeProblem, isOriginAllowed, pathOf, type HandshakeRequest } from "./handshake.js";

const good: Readonly<Record<string, string>> = {
  host: "localhost",
  upgrade: "websocket",
  connection: "keep-alive, Upgrade",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

/** A handshake with these headers more, or instead; undefined takes one out. */
function request(
  headers: Readonly<Record<string, string | undefined>> = {},
  over: Partial<HandshakeRequest> = {},
): HandshakeRequest {
  const entries = Object.entries({ ...good, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    method: "GET",
    url: "/ws",
    httpVersion: "1.1",
    headers: Object.fromEntries(entries),
    rawHeaders: entries.flat(),
    ...over,
  };
}

describe("handshakeProblem", () => {
  it.each([
    ["/ws", request()],
    ["/api/v1/ws with a query", request({}, { url: "/api/v1/ws?policy=replay" })],
    ["words in any case", request({ upgrade: "WebSocket", connection: "UPGRADE" })],
  ])("finds nothing wrong with %s", (_what, handshake) => {
    expect(handshakeProblem(handshake)).toBeUndefined();
  });

  const bad: readonly [string, HandshakeRequest, object][] = [
    ["an absolute target", request({}, { url: "http://localhost/ws" }), { name: "bad-request" }],
    ["an authority for a target", request({}, { url: "localhost:80" }), { name: "bad-request" }],
    ["no target", request({}, { url: undefined }), { name: "bad-request" }],
    ["another path", request({}, { url: "/ws/" }), { name: "not-found" }],
    ["another method", request({}, { method: "POST" }), { name: "method-not-allowed", headers: { allow: "GET" } }],
    ["HTTP/1.0", request({}, { httpVersion: "1.0" }), { name: "bad-request" }],
    ["another Upgrade", request({ upgrade: "h2c" }), { name: "bad-request", field: "Upgrade" }],
    ["no Upgrade", request({ upgrade: undefined }), { name: "bad-request", field: "Upgrade" }],
    [
      "a Connection that doesn't name it",
      request({ connection: "keep-alive" }),
      { name: "bad-request", field: "Connection" },
    ],
    ["no Connection", request({ connection: undefined }), { name: "bad-request", field: "Connection" }],
    ["another version", request({ "sec-websocket-version": "8" }), { name: "upgrade-required" }],
    ["no Host", request({ host: undefined }), { name: "bad-request", field: "host" }],
    ["a short key", request({ "sec-websocket-key": "c2hvcnQ=" }), { name: "bad-request", field: "Sec-WebSocket-Key" }],
    ["a length", request({ "content-length": "0" }), { name: "bad-request" }],
    ["a body in chunks", request({ "transfer-encoding": "chunked" }), { name: "bad-request" }],
  ];
  it.each(bad)("refuses %s", (_what, handshake, problem) => {
    expect(handshakeProblem(handshake)).toMatchObject(problem);
  });

  it.each(["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"])("refuses %s twice", (name) => {
    const once = request();
    const twice = { ...once, rawHeaders: [...once.rawHeaders, name, "again"] };
    expect(handshakeProblem(twice)).toMatchObject({ name: "bad-request", field: name.toLowerCase() });
  });

  it("names the version that it takes", () => {
    expect(handshakeProblem(request({ "sec-websocket-version": undefined }))).toMatchObject({
      name: "upgrade-required",
      headers: { "sec-websocket-version": "13", upgrade: "websocket" },
    });
  });
});

describe("isOriginAllowed", () => {
  const allowed = ["https://app.example", "https://Other.example/"];

  it("lets in who sends none, and anybody where * is allowed", () => {
    expect(isOriginAllowed(undefined, [])).toBe(true);
    expect(isOriginAllowed("https://evil.example", ["https://app.example", "*"])).toBe(true);
  });

  it.each(["https://app.example", "HTTPS://APP.EXAMPLE", "https://other.example"])("lets %s in", (origin) => {
    expect(isOriginAllowed(origin, allowed)).toBe(true);
  });

  it.each([
    "https://evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://app.example.evil",
    "null",
    "",
  ])("keeps %j out", (origin) => {
    expect(isOriginAllowed(origin, allowed)).toBe(false);
  });
});

it("pathOf is the path without the query, of an origin-form target only", () => {
  expect(pathOf("/ws?token=x")).toBe("/ws");
  expect(pathOf("*")).toBeUndefined();
  expect(pathOf(undefined)).toBeUndefined();
});
