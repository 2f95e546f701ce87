// What a client may cost: sizes, rates, numbers and times, each with what happens on excess.
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  connectionsOf,
  eventually,
  frameBytes,
  metricOf,
  mint,
  opcodes,
  publish,
  RawClient,
  RawSocket,
  startServer,
  upgradeRequest,
  within,
  type Frame,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const token = mint();
/** What a shared machine may be late. */
const latenessMs = 1500;

let server: Awaited<ReturnType<typeof startServer>>;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** An HTTP server that takes requests and never answers. */
async function startSilentIssuer(): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const issuer = createHttpServer(() => {});
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
  };
  const { port } = issuer.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/introspect`, [Symbol.asyncDispose]: close };
}

/** A ping that takes `bytes` on the wire. */
function pingOf(bytes: number): string {
  const empty = JSON.stringify({ type: "ping", x: "" });
  return JSON.stringify({ type: "ping", x: "a".repeat(bytes - empty.length) });
}

describe("a message of 64 KiB", () => {
  it.each([65_535, 65_536])("less %s bytes is taken", async (bytes) => {
    await using client = await RawClient.connect(server.url, { token });
    client.sendText(pingOf(bytes));
    expect(await client.next("pong")).toMatchObject({ type: "pong" });
  });

  it("and a byte more is closed with 1009", async () => {
    await using client = await RawClient.connect(server.url, { token });
    client.sendText(pingOf(65_537));
    expect(await client.closed).toMatchObject({ code: 1009, reason: "Message too big" });
  });

  it("and a byte more in fragments is closed with 1009", async () => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    raw.send(frameBytes({ fin: false, payload: "x".repeat(60_000) }));
    raw.send(frameBytes({ opcode: opcodes.continuation, payload: "x".repeat(5537) }));
    expect(await raw.closeFrame()).toEqual({ code: 1009, reason: "Message too big" });
  });

  it("is refused by its header, before its body is there", async () => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    raw.send(frameBytes({ claimedLength: 10_000_000 }));
    expect(await raw.closeFrame()).toMatchObject({ code: 1009 });
  });
});

it("a message in 16 fragments is taken, one in 17 is not", async () => {
  const fragments = (count: number): Buffer => {
    const text = pingOf(40);
    const piece = Math.ceil(text.length / count);
    const pieces = Array.from({ length: count }, (_, index) => text.slice(index * piece, (index + 1) * piece));
    const frames = pieces.map((payload, index) =>
      frameBytes({ opcode: index === 0 ? opcodes.text : opcodes.continuation, fin: index === count - 1, payload }),
    );
    return Buffer.concat(frames);
  };
  await using few = await RawClient.connect(server.url, { token });
  await using many = await RawSocket.upgraded(server.url, { token });
  await few.next("connected");
  (few.webSocket as unknown as { readonly _socket: NodeJS.WritableStream })._socket.write(fragments(16));
  expect(await few.next("pong")).toMatchObject({ type: "pong" });
  many.send(fragments(17));
  expect((await many.closeFrame()).code).toBe(1008);
});

it("a message that doesn't end is closed with 1008 after 5 s, one byte at a time or in fragments", async () => {
  await using half = await RawSocket.upgraded(server.url, { token });
  await using fragment = await RawSocket.upgraded(server.url, { token });
  await using whole = await RawSocket.upgraded(server.url, { token });
  const frame = frameBytes({ payload: pingOf(1000) });
  const startMs = performance.now();
  let sent = 0;
  const drip = setInterval(() => half.send(frame.subarray(sent, (sent += 1))), 100);
  fragment.send(frameBytes({ fin: false, payload: "{" }));
  whole.send(frame);
  const closes = await Promise.all([half.closeFrame(), fragment.closeFrame()]);
  clearInterval(drip);
  for (const close of closes) expect(close).toEqual({ code: 1008, reason: "Policy violation" });
  expect(performance.now() - startMs).toBeGreaterThan(4900);
  expect(performance.now() - startMs).toBeLessThan(5000 + latenessMs);
  whole.send(frame);
  expect((await whole.frame()).opcode, "others live on").toBe(opcodes.text);
});

it("a binary message is closed with 1003", async () => {
  await using client = await RawClient.connect(server.url, { token });
  client.webSocket.send(Buffer.from('{"type":"ping"}'));
  expect(await client.closed).toMatchObject({ code: 1003, reason: "Text frames only" });
});

describe("commands", () => {
  const settings = { limits: { commands_per_second: 10, command_burst: 20 } };

  it("beyond the rate are refused with RATE_LIMITED, and the connection lives on", async () => {
    await using strict = await startServer(settings);
    await using client = await RawClient.connect(strict.url, { token });
    await client.next("connected");
    for (let n = 0; n < 40; n += 1) client.send({ type: "ping", timestamp: n });
    const answers: Frame[] = [];
    for (let n = 0; n < 40; n += 1) answers.push(await client.take());
    const pongs = answers.filter(({ type }) => type === "pong").length;
    expect(pongs).toBeGreaterThanOrEqual(20);
    expect(pongs).toBeLessThan(30);
    for (const answer of answers.slice(pongs)) {
      expect(answer).toEqual({ type: "error", code: "RATE_LIMITED", message: "more than 10 commands a second" });
    }
    await eventually("the rate to allow a command again", async () => {
      client.send({ type: "ping" });
      return (await client.take()).type === "pong" ? true : undefined;
    });
  });

  it("that never stop end in 1008 Policy violation", async () => {
    await using strict = await startServer(settings);
    await using client = await RawClient.connect(strict.url, { token });
    for (let n = 0; n < 200; n += 1) client.send({ type: "ping" });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Policy violation" });
  });

  it("that are none are counted too", async () => {
    await using strict = await startServer(settings);
    await using client = await RawClient.connect(strict.url, { token });
    for (let n = 0; n < 200; n += 1) client.sendText("nonsense");
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Policy violation" });
  });

  it("of one client leave another's alone", async () => {
    await using strict = await startServer(settings);
    await using loud = await RawClient.connect(strict.url, { token });
    await using quiet = await RawClient.connect(strict.url, { token });
    for (let n = 0; n < 200; n += 1) loud.send({ type: "ping" });
    quiet.send({ type: "ping" });
    expect(await quiet.next("pong")).toMatchObject({ type: "pong" });
    await loud.closed;
  });
});

describe("control frames", () => {
  it("are answered with their payload, up to 20 a second", async () => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    for (let n = 0; n < 20; n += 1) raw.send(frameBytes({ opcode: opcodes.ping, payload: `p${n}` }));
    await raw.frame();
    for (let n = 0; n < 20; n += 1) {
      const { opcode, payload } = await raw.frame();
      expect([opcode, payload.toString()]).toEqual([opcodes.pong, `p${n}`]);
    }
  });

  it.each([opcodes.ping, opcodes.pong])("beyond that are closed with 1008: opcode %s", async (opcode) => {
    await using raw = await RawSocket.upgraded(server.url, { token });
    raw.send(Buffer.concat(Array.from({ length: 200 }, () => frameBytes({ opcode, payload: "x" }))));
    expect(await raw.closeFrame()).toEqual({ code: 1008, reason: "Policy violation" });
  });
});

describe("connections", () => {
  it("over the total are closed with 1013, and taken again when there is room", async () => {
    await using small = await startServer({ limits: { connections: 2 } });
    await using first = await RawClient.connect(small.url, { token });
    await using second = await RawClient.connect(small.url, { token });
    await second.next("connected");
    await using third = await RawClient.connect(small.url, { token });
    expect(await third.closed).toMatchObject({ code: 1013, reason: "Try again later" });
    await first[Symbol.asyncDispose]();
    await eventually("room for another", async () => {
      const again = await RawClient.connect(small.url, { token });
      const frame = await again.take().catch(() => undefined);
      await again[Symbol.asyncDispose]();
      return frame?.type === "connected" ? true : undefined;
    });
  });

  it("over the total are refused before their token is looked at", async () => {
    await using small = await startServer({ limits: { connections: 1 } });
    await using first = await RawClient.connect(small.url, { token });
    await first.next("connected");
    await using second = await RawClient.connect(small.url, { token: "nonsense" });
    expect(await second.closed).toMatchObject({ code: 1013 });
  });

  it("over a user's share are closed with 1013, while others come in", async () => {
    await using small = await startServer({ limits: { connections_per_user: 1 } });
    await using alice = await RawClient.connect(small.url, { token: mint({ sub: "alice" }) });
    await alice.next("connected");
    await using again = await RawClient.connect(small.url, { token: mint({ sub: "alice" }) });
    expect(await again.closed).toMatchObject({ code: 1013, reason: "Try again later" });
    await using bob = await RawClient.connect(small.url, { token: mint({ sub: "bob" }) });
    expect(await bob.take()).toMatchObject({ type: "connected", user_id: "bob" });
    expect((await connectionsOf(small.url)).map(({ user_id: user }) => user)).toEqual(["alice", "bob"]);
  });

  it("over an address's share are closed with 1013", async () => {
    await using small = await startServer({ limits: { connections_per_address: 2 } });
    await using first = await RawClient.connect(small.url, { token: mint({ sub: "a" }) });
    await using second = await RawClient.connect(small.url, { token: mint({ sub: "b" }) });
    await first.next("connected");
    await second.next("connected");
    await using third = await RawClient.connect(small.url, { token: mint({ sub: "c" }) });
    expect(await third.closed).toMatchObject({ code: 1013 });
  });

  it("that were refused hold no place", async () => {
    await using small = await startServer({
      limits: { connections: 1, connections_per_user: 1, connections_per_address: 1 },
    });
    for (let n = 0; n < 5; n += 1) {
      expect((await RawClient.refused(small.url, { token: "nonsense" })).status).toBe(401);
    }
    await eventually("a place", async () => {
      await using client = await RawClient.connect(small.url, { token });
      const frame = await client.take().catch(() => undefined);
      return frame?.type === "connected" ? true : undefined;
    });
  });
});

describe("a handshake", () => {
  const handshakeMs = 500;
  const request = upgradeRequest({ token });
  const halves: readonly [string, string][] = [
    ["nothing at all", ""],
    ["half a line", "GET /ws HT"],
    ["a head without its end", request.slice(0, -2)],
  ];
  it.each(halves)("of which %s came is given up after limits.handshake_ms", async (_what, bytes) => {
    await using strict = await startServer({ limits: { handshake_ms: handshakeMs } });
    await using raw = await RawSocket.connect(strict.url);
    const startMs = performance.now();
    raw.send(bytes);
    await within("the server to hang up", raw.closed);
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThan(handshakeMs * 0.9);
    expect(tookMs).toBeLessThan(handshakeMs + latenessMs);
  });

  it("whose token can't be checked in that time is answered with 503, and holds no place", async () => {
    await using silent = await startSilentIssuer();
    const auth = {
      introspection_url: silent.url,
      introspection_client_id: "sluice",
      introspection_client_secret: "not a real one",
    };
    await using strict = await startServer({ auth, limits: { handshake_ms: handshakeMs, connections: 1 } });
    for (let n = 0; n < 2; n += 1) {
      const { status, body } = await RawClient.refused(strict.url, { token: "opaque" });
      expect({ status, body: JSON.parse(body) as unknown }).toMatchObject({
        status: 503,
        body: {
          type: "urn:sluice:problem:authentication-unavailable",
          detail: "The token could not be checked in time",
        },
      });
    }
  });

  it("whose head drips in byte by byte is given up just the same", async () => {
    await using strict = await startServer({ limits: { handshake_ms: handshakeMs } });
    await using raw = await RawSocket.connect(strict.url);
    const startMs = performance.now();
    let sent = 0;
    const drip = setInterval(() => raw.send(request[(sent += 1)] ?? "x"), 20);
    await within("the server to hang up", raw.closed);
    clearInterval(drip);
    expect(performance.now() - startMs).toBeLessThan(handshakeMs + latenessMs);
  });
});

it("replies that are not read stop the reading of commands, and all of them come when they are read", async () => {
  await using fast = await startServer({ limits: { commands_per_second: 1_000_000, command_burst: 1_000_000 } });
  await using client = await RawClient.connect(fast.url, { token, query: "policy=replay" });
  await client.subscribe(["LARGE"]);
  client.pause();
  const large = { event_type: "LARGE", payload: "x".repeat(4000) };
  await publish(
    fast.url,
    Array.from({ length: 4000 }, () => large),
  );
  await eventually("the connection to be paused", async () => {
    const [shown] = await connectionsOf(fast.url);
    return shown?.["paused"] === true ? true : undefined;
  });
  const asked = 20_000;
  for (let n = 0; n < asked; n += 1) client.send({ type: "ping", timestamp: n });
  const pings = 'sluice_commands_total{type="ping"}';
  const heard = await eventually("the first pings to be heard", async () => {
    const count = await metricOf(fast.url, pings);
    return count !== undefined && count > 0 ? count : undefined;
  });
  expect(heard, "pings heard while nothing is read").toBeLessThan(asked / 2);
  client.resume();
  let pongs = 0;
  await client.until("the last pong", (frame) => frame.type === "pong" && (pongs += 1) === asked, 30_000);
  expect(await metricOf(fast.url, pings)).toBe(asked);
});

it("max_messages of the query can make the buffer smaller, never larger", async () => {
  for (const [asked, given] of [
    ["10", 10],
    ["1000", 1000],
    ["1001", 1000],
    ["99999999", 1000],
  ] as const) {
    await using client = await RawClient.connect(server.url, { token, query: `max_messages=${asked}` });
    expect(await client.take()).toMatchObject({ buffer: { max_messages: given } });
  }
});
