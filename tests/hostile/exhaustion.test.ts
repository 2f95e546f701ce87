// Too much of everything: an error or a close, never an exit, and others go on. What has to be measured has files of its
// own: never-readers, tiny-fragments, slow-loris, malformed-frames.
import { deflateRawSync, gzipSync } from "node:zlib";
import {
  eventually,
  frameBytes,
  mint,
  opcodes,
  publish,
  publisherToken,
  RawClient,
  RawSocket,
  request,
  upgradeRequest,
  within,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";

const token = mint({ sub: "greedy" });
const mib = 1_048_576;

/** Bodies of a publish, and the statuses that are right; never one of 500 and more. */
const bodies: readonly (readonly [name: string, because: string, body: string | Buffer, status: readonly number[]])[] =
  [
    ["brackets 4,000,000 deep", "RFC 8259 §9: limits on depth", "[".repeat(4_000_000), [400, 413]],
    [
      "brackets deep and closed",
      "RFC 8259 §9",
      `{"event_type":"A","payload":${"[".repeat(60_000)}${"]".repeat(60_000)}}`,
      [400, 413],
    ],
    [
      "objects deep and closed",
      "RFC 8259 §9",
      `{"event_type":"A","payload":${'{"a":'.repeat(30_000)}1${"}".repeat(30_000)}}`,
      [400, 413],
    ],
    [
      "100,000 members",
      "bounded",
      `{"event_type":"A","payload":{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join(",")}}}`,
      [400, 413],
    ],
    [
      "100,000 events",
      "limits.publish_batch_events",
      `[${'{"event_type":"A","payload":1},'.repeat(99_999)}{"event_type":"A","payload":1}]`,
      [413],
    ],
    [
      "a payload past its limit",
      "limits.payload_bytes",
      `{"event_type":"A","payload":"${"x".repeat(300_000)}"}`,
      [413],
    ],
    ["a member twice", "RFC 8259 §4", '{"event_type":"A","event_type":"B","payload":1}', [400, 202]],
    ["members from the prototype", "CWE-1321", '{"__proto__":{"event_type":"A","payload":1}}', [400]],
    [
      "a payload with prototypes",
      "CWE-1321",
      '{"event_type":"A","payload":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}',
      [202, 400],
    ],
    ["1e999", "RFC 8259 §6", '{"event_type":"A","payload":1e999}', [400, 202]],
    ["a number of 10,000 digits", "RFC 8259 §6", `{"event_type":"A","payload":${"9".repeat(10_000)}}`, [400, 202]],
    ["a lone surrogate in a name", "RFC 8259 §8.2", '{"event_type":"\\ud800","payload":1}', [400]],
    ["a lone surrogate in the payload", "RFC 8259 §8.2", '{"event_type":"A","payload":"\\udc00\\ud800"}', [400, 202]],
    [
      "a lone surrogate in bytes",
      "RFC 3629 §3",
      Buffer.from('{"event_type":"A","payload":"\xed\xa0\x80"}', "latin1"),
      [400],
    ],
    ["bytes that are no UTF-8", "RFC 8259 §8.1", Buffer.from('{"event_type":"A","payload":"\xff"}', "latin1"), [400]],
    ["UTF-16", "RFC 8259 §8.1", Buffer.from('{"event_type":"A","payload":1}', "utf16le"), [400]],
    ["NUL in a name", "protocol §3", '{"event_type":"A\\u0000","payload":1}', [400]],
    ["an empty body", "protocol §8", "", [400]],
    ["an empty list", "protocol §8", "[]", [400]],
    ["a list in a list", "protocol §8", "[[]]", [400]],
    [
      "a timestamp of the year 10^9",
      "RFC 3339",
      '{"event_type":"A","payload":1,"timestamp":"1000000000-01-01T00:00:00Z"}',
      [400],
    ],
    ["gzip that says so", "RFC 9110 §8.4: never inflated", gzipSync(Buffer.alloc(10 * mib, 0x20)), [400, 415]],
  ];

describe.each(doors)("on the %s", (name, open) => {
  let door: Door;
  let witness: RawClient;
  beforeAll(async () => {
    door = await open({ gateway: { limits: { handshakes_per_second: 1_000_000, handshake_burst: 1_000_000 } } });
    witness = await RawClient.connect(door.url, { token: mint({ sub: "witness" }) });
    await witness.subscribe(["WITNESS"]);
  });
  afterAll(async () => {
    await witness[Symbol.asyncDispose]();
    await door[Symbol.asyncDispose]();
  });

  /** Somebody else's event arrives as ever. */
  async function expectUnhurt(): Promise<void> {
    await publish(door.serviceUrl, [{ event_type: "WITNESS", payload: 1 }]);
    expect((await witness.next("event"))["event_type"]).toBe("WITNESS");
  }

  it.each(bodies)("a publish with %s (%s)", async (what, _because, body, statuses) => {
    const encoding: Record<string, string> = what.startsWith("gzip") ? { "content-encoding": "gzip" } : {};
    const { status } = await request(door.url, "/api/v1/events", {
      method: "POST",
      token: publisherToken(),
      headers: { "content-type": "application/json", ...encoding },
      body: typeof body === "string" ? body : new Uint8Array(body),
    });
    expect(statuses).toContain(status);
    expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
    await expectUnhurt();
  });

  it("a compression bomb is not inflated: it is a broken rule, or too big (RFC 7692 §8, RFC 6455 §10.4)", async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * mib, 0x20)).subarray(0, 60_000);
    await using raw = await RawSocket.upgraded(door.url, {
      token,
      headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
    });
    raw.send(frameBytes({ rsv: 4, payload: bomb }));
    expect([1002, 1009]).toContain((await raw.closeFrame()).code);
    await expectUnhurt();
  });

  it("2,000 subscribe commands at once: refused past the rate, then put out (limits.commands_per_second)", async () => {
    await using raw = await RawSocket.upgraded(door.url, { token });
    const one = frameBytes({
      payload: `{"type":"subscribe","events":[${Array.from({ length: 100 }, (_, n) => `"E${n}*"`).join(",")}]}`,
    });
    raw.send(Buffer.concat(Array.from({ length: 2_000 }, () => one)));
    expect((await raw.closeFrame()).code).toBe(1008);
    await expectUnhurt();
  });

  it("20,000 pings at once: Close 1008 (20 control frames a second)", async () => {
    await using raw = await RawSocket.upgraded(door.url, { token });
    const ping = frameBytes({ opcode: opcodes.ping, payload: "x".repeat(125) });
    raw.send(Buffer.concat(Array.from({ length: 20_000 }, () => ping)));
    expect((await raw.closeFrame()).code).toBe(1008);
    await expectUnhurt();
  });

  it("500 connections at once that reset in the middle of their handshake, their frame, their close", async () => {
    const handshake = upgradeRequest({ token });
    const frame = frameBytes({ payload: '{"type":"ping"}' });
    const ends = [
      handshake.slice(0, 40),
      handshake,
      Buffer.concat([Buffer.from(handshake), frame.subarray(0, 5)]),
      Buffer.concat([Buffer.from(handshake), frame]),
    ];
    await Promise.all(
      Array.from({ length: 500 }, async (_, n) => {
        const raw = await RawSocket.connect(door.url);
        raw.send(ends[n % ends.length] as Buffer);
        if (n % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
        raw.reset();
        await raw.closed;
      }),
    );
    await expectUnhurt();
    expect(errorsOf(door)).toEqual([]);
  });

  it("a stream's reader and a history's reader that never read hold up nobody", async () => {
    await publish(
      door.serviceUrl,
      Array.from({ length: 500 }, () => ({ event_type: "LARGE", payload: "x".repeat(4_000) })),
    );
    const raws = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const raw = await RawSocket.connect(door.url);
        const path = n % 2 === 0 ? "/api/v1/stream?events=LARGE" : "/api/v1/events?limit=1000&events=LARGE";
        const lines = ["Host: a", `Authorization: Bearer ${token}`, ...(n % 2 === 0 ? ["Last-Event-ID: x:0"] : [])];
        raw.send(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
        raw.socket.pause();
        return raw;
      }),
    );
    await expectUnhurt();
    await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
    expect(errorsOf(door)).toEqual([]);
  });

  it("and is as it was after all of it", async () => {
    expect((await request(door.url, "/readyz")).status).toBe(200);
    expect(errorsOf(door)).toEqual([]);
  });

  it("connections past the total are told to come later, before their token is looked at, and others live on", async () => {
    const total = 5;
    await using small = await open({
      limits: { connections: name === "service" ? total : 1_000 },
      gateway: { limits: { connections: total } },
    });
    const inside = await Promise.all(Array.from({ length: total }, () => RawClient.connect(small.url, { token })));
    for (const client of inside) await client.next("connected");
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        await using late = await RawClient.connect(small.url, { token: "not.looked.at" });
        expect((await late.closed).code).toBe(1013);
      }),
    );
    for (const client of inside) {
      client.send({ type: "ping", timestamp: 1 });
      await client.next("pong");
      await client[Symbol.asyncDispose]();
    }
  });

  it("idle TCP connections past what there is room for are cut at once, and those within given up in time", async () => {
    const handshakeMs = 2_000;
    await using small = await open({
      limits: { connections: 5 },
      handshakeMs,
      gateway: { limits: { connections: 5, handshake_ms: handshakeMs } },
    });
    const raws: RawSocket[] = [];
    for (let n = 0; n < 11; n += 1) {
      raws.push(...(await Promise.all(Array.from({ length: 100 }, () => RawSocket.connect(small.url)))));
    }
    await within("all of them to be gone", Promise.all(raws.map(({ closed }) => closed)), 30_000);
    await using client = await RawClient.connect(small.url, { token });
    expect(await client.next("connected")).toMatchObject({ user_id: "greedy" });
  });
});

describe("one address at the gateway", () => {
  const gatewayDoor = (doors[1] as (typeof doors)[number])[1];

  it("is refused past its rate with 429, whatever X-Forwarded-For, Forwarded or X-Real-IP it makes up", async () => {
    await using door = await gatewayDoor({ gateway: { limits: { handshakes_per_second: 1, handshake_burst: 5 } } });
    const statuses: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const made = `10.1.2.${n}`;
      await using raw = await RawSocket.connect(door.url);
      raw.send(
        upgradeRequest({ token, headers: { "X-Forwarded-For": made, "X-Real-IP": made, Forwarded: `for=${made}` } }),
      );
      statuses.push((await raw.head()).status);
    }
    expect(statuses.filter((status) => status === 101).length).toBeLessThanOrEqual(8);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(12);
  });

  it("behind a trusted proxy is the last that is not trusted, read from the right", async () => {
    await using door = await gatewayDoor({
      gateway: {
        trusted_proxies: ["127.0.0.0/8", "10.0.0.0/8"],
        limits: { handshakes_per_second: 1, handshake_burst: 3 },
      },
    });
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      await using raw = await RawSocket.connect(door.url);
      // What the caller made up stands left; the proxy has added the rest.
      raw.send(
        upgradeRequest({
          token,
          headers: { "X-Forwarded-For": `${n}.2.3.4, not-an-address, 203.0.113.7, 10.0.0.${n}` },
        }),
      );
      statuses.push((await raw.head()).status);
    }
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(6);
  });

  it("holds no more idle TCP connections than its share", async () => {
    await using door = await gatewayDoor({ gateway: { limits: { connections_per_address: 20 } } });
    const raws = await Promise.all(Array.from({ length: 60 }, () => RawSocket.connect(door.url)));
    let gone = 0;
    for (const { closed } of raws) void closed.then(() => (gone += 1));
    await eventually("those past its share to be cut", () => (gone >= 24 ? true : undefined));
    expect(gone).toBe(24);
    await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
    await using client = await eventually("room again", () =>
      RawClient.connect(door.url, { token }).catch(() => undefined),
    );
    await client.next("connected");
  });
});
