// The table of bad input over HTTP, in tokens and in configurations: what is sent, and exactly what is answered. After
// each the process serves on.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { mint, publisherToken, RawClient, request, sluiceProgram, startServer } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const claims = { iss: "https://id.example", aud: "sluice" };
const token = mint(claims);
const publisher = publisherToken(claims);

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  const limits = { payload_bytes: 1000, publish_batch_events: 5, publish_body_bytes: 20_000 };
  server = await startServer({ auth: { audience: ["sluice"], issuer: "https://id.example" }, limits });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
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
    [
      "another algorithm in its header",
      mint(claims, { header: { alg: "HS512" } }),
      "The token's signature algorithm is not accepted here",
    ],
    [
      "another secret",
      mint(claims, { secret: "a secret that is somebody else's." }),
      "The token's signature does not verify",
    ],
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
    [
      "events that are no list",
      mint({ ...claims, events: "GPU_*" as unknown as string[] }),
      "A claim of the token is malformed",
    ],
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
    [
      "a bad second line",
      ndjson,
      `${JSON.stringify(good)}\n{\n`,
      { status: 400, name: "malformed-body", index: 1, line: 2 },
    ],
    ["a number", json, 7, { status: 400, name: "invalid-event", index: 0 }],
    ["no event_type", json, { payload: 1 }, { status: 400, name: "invalid-event", index: 0, field: "event_type" }],
    [
      "a bad event_type",
      json,
      [good, { ...good, event_type: "a b" }],
      { status: 400, name: "invalid-event", index: 1, field: "event_type" },
    ],
    [
      "a pattern as event_type",
      json,
      { ...good, event_type: "GPU_*" },
      { status: 400, name: "invalid-event", field: "event_type" },
    ],
    [
      "an event_type too long",
      json,
      { ...good, event_type: "x".repeat(129) },
      { status: 400, name: "invalid-event", field: "event_type" },
    ],
    [
      "a bad cluster_id",
      json,
      { ...good, cluster_id: "" },
      { status: 400, name: "invalid-event", field: "cluster_id" },
    ],
    ["a numeric event_id", json, { ...good, event_id: 7 }, { status: 400, name: "invalid-event", field: "event_id" }],
    [
      "an event_id too long",
      json,
      { ...good, event_id: "x".repeat(257) },
      { status: 400, name: "invalid-event", field: "event_id" },
    ],
    [
      "an event_id with a line end",
      json,
      { ...good, event_id: "a\nb" },
      { status: 400, name: "invalid-event", field: "event_id" },
    ],
    ["no payload", json, { event_type: "A" }, { status: 400, name: "invalid-event", field: "payload" }],
    [
      "a timestamp without an offset",
      json,
      { ...good, timestamp: "2026-01-01T00:00:00" },
      { status: 400, name: "invalid-event", field: "timestamp" },
    ],
    [
      "the 30th of February",
      json,
      { ...good, timestamp: "2026-02-30T00:00:00Z" },
      { status: 400, name: "invalid-event", field: "timestamp" },
    ],
    [
      "a payload too large",
      json,
      { ...good, payload: "x".repeat(999) },
      { status: 413, name: "payload-too-large", index: 0, allowed: 1000 },
    ],
    [
      "too many events",
      json,
      Array.from({ length: 6 }, () => good),
      { status: 413, name: "batch-too-large", allowed: 5 },
    ],
    ["a body too large", json, " ".repeat(20_001), { status: 413, name: "body-too-large", allowed: 20_000 }],
    ["another content type", "text/plain", "x", { status: 415, name: "unsupported-media-type" }],
    ["another charset", "application/json; charset=utf-16", good, { status: 415, name: "unsupported-media-type" }],
    [
      "a CloudEvent of another version",
      "application/cloudevents+json",
      { specversion: "0.3", id: "1", source: "/", type: "A" },
      { status: 400, name: "invalid-event", field: "specversion" },
    ],
    [
      "a CloudEvent without an id",
      "application/cloudevents+json",
      { specversion: "1.0", source: "/", type: "A" },
      { status: 400, name: "invalid-event", field: "id" },
    ],
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
    expect({ ...(answer.json as object), status: answer.status }).toMatchObject({
      ...expected,
      type: `urn:sluice:problem:${name}`,
    });
  });

  const requests: readonly [
    string,
    { method?: string; path?: string; token?: string; headers?: Record<string, string> },
    number,
    string,
  ][] = [
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

describe("a configuration is refused by the command line:", () => {
  const run = promisify(execFile);
  const secret = "SLUICE_AUTH__HS256_SECRET";
  const configurations: readonly [string, readonly string[], Readonly<Record<string, string>>, string][] = [
    ["an unknown key", ["--heartbeat.intervall_ms=1000"], {}, "heartbeat.intervall_ms"],
    [
      "a word for a number",
      ["--heartbeat.interval_ms=soon"],
      {},
      'heartbeat.interval_ms is "soon"; allowed: an integer',
    ],
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
