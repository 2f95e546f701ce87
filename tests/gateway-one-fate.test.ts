// A client and a backend have one fate: whichever ends, ends the other, with its code or with one that says why.
import {
  acceptingHead,
  closePayload,
  eventually,
  frameBytes,
  mint,
  opcodes,
  publish,
  RawClient,
  RawSocket,
  spawnService,
  startEchoBackend,
  startGateway,
  startRawBackend,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = mint();
const quick = { gateway: { tunnel: { close_ms: 400 } } } as const;

describe("a backend", () => {
  it("that is killed in mid-stream: the client gets Close 1011 within a second", async () => {
    await using service = await spawnService();
    await using gateway = await startGateway([service.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    await client.subscribe(["*"]);
    const events = Array.from({ length: 2_000 }, (_, n) => ({
      event_type: "E",
      payload: { n, text: "x".repeat(500) },
    }));
    // It may end with a 502 before the client hears of anything.
    const published = publish(gateway.url, events).catch(() => {});
    await client.events(100);
    const killedAtMs = performance.now();
    service.kill("SIGKILL");
    const closed = await within("the close", client.closed, 2_000);
    expect(closed).toMatchObject({ code: 1011, reason: "Backend unavailable" });
    expect(closed.atMs - killedAtMs).toBeLessThan(1_000);
    await published;
  });

  it("that dies within a frame which was passed on in part: the client is cut off, never sent half a lie", async () => {
    await using backend = await startRawBackend((socket, head) => {
      socket.write(acceptingHead(head));
      const large = frameBytes({ payload: Buffer.alloc(500_000), masked: false, opcode: opcodes.binary });
      socket.write(large.subarray(0, 300_000), () => socket.end());
    });
    await using gateway = await startGateway([backend.url], quick);
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await within("the end", client.closed)).toMatchObject({ code: 1006 });
  });

  it("that dies within a small frame: the client gets whole frames and then Close 1011", async () => {
    await using backend = await startRawBackend((socket, head) => {
      socket.write(acceptingHead(head));
      const [whole, half] = ["1", "2"].map((n) => frameBytes({ payload: `{"type":"n","n":${n}}`, masked: false }));
      socket.write(whole as Buffer);
      socket.end((half as Buffer).subarray(0, 9));
    });
    await using gateway = await startGateway([backend.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await client.take()).toEqual({ type: "n", n: 1 });
    expect(await client.closed).toMatchObject({ code: 1011, reason: "Backend unavailable" });
  });

  it.each([
    [1000, ""],
    [1001, "bye"],
    [4403, "Revoked"],
    [3999, "ü".repeat(61)],
  ])("that closes with %i %s: the client gets just that", async (code, reason) => {
    await using backend = await startEchoBackend({ onConnection: (webSocket) => webSocket.close(code, reason) });
    await using gateway = await startGateway([backend.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await client.closed).toMatchObject({ code, reason });
    await eventually("the tunnel to be gone", () => (backend.clients.size === 0 ? true : undefined));
  });

  it("that breaks the framing: the client gets 1011, and the backend is dropped", async () => {
    await using backend = await startRawBackend((socket, head) => {
      socket.write(acceptingHead(head));
      socket.write(frameBytes({ payload: "masked, as no server may", masked: true }));
    });
    await using gateway = await startGateway([backend.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    expect(await client.closed).toMatchObject({ code: 1011, reason: "Backend unavailable" });
    await eventually("the backend's socket to be gone", () => (backend.sockets.size <= 1 ? true : undefined));
  });

  it("that closes and then never ends its connection: both are cut at the deadline", async () => {
    await using backend = await startRawBackend((socket, head) => {
      socket.write(acceptingHead(head));
      socket.write(frameBytes({ opcode: opcodes.close, payload: closePayload(1000), masked: false }));
      socket.resume();
    });
    await using gateway = await startGateway([backend.url], quick);
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    expect(await raw.closeFrame()).toEqual({ code: 1000, reason: "" });
    await within("the client to be cut", raw.closed, 2_000);
  });
});

describe("a client", () => {
  it.each([
    [1000, ""],
    [1001, "tab closed"],
    [4000, "mine"],
  ])("that closes with %i %s: the backend gets just that", async (code, reason) => {
    let closed: Promise<unknown> | undefined;
    await using backend = await startEchoBackend({
      onConnection: (webSocket) => {
        closed = new Promise((resolve) => webSocket.on("close", (...args) => resolve([args[0], String(args[1])])));
      },
    });
    await using gateway = await startGateway([backend.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    client.webSocket.close(code, reason);
    expect(await client.closed).toMatchObject({ code, reason });
    expect(await closed).toEqual([code, reason]);
  });

  it.each(["end", "reset"] as const)("that ends by %s without a close: the backend's connection ends", async (how) => {
    await using backend = await startEchoBackend();
    await using gateway = await startGateway([backend.url], quick);
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    await eventually("the backend to see it", () => (backend.clients.size === 1 ? true : undefined));
    if (how === "end") raw.socket.end();
    else raw.reset();
    const empty = () => (backend.clients.size === 0 ? true : undefined);
    expect(await eventually("the backend's connection to end", empty, 2_000)).toBe(true);
  });

  it.each([
    ["an unmasked frame", frameBytes({ payload: "x", masked: false }), 1002],
    ["a reserved bit", frameBytes({ payload: "x", rsv: 2 }), 1002],
    ["RSV1 without compression", frameBytes({ payload: "x", rsv: 4 }), 1002],
    ["a reserved opcode", frameBytes({ payload: "x", opcode: 3 }), 1002],
    ["a fragmented ping", frameBytes({ opcode: opcodes.ping, fin: false }), 1002],
    ["a ping over 125 bytes", frameBytes({ opcode: opcodes.ping, payload: "x".repeat(126) }), 1002],
    ["a stray continuation", frameBytes({ opcode: opcodes.continuation, payload: "x" }), 1002],
    ["a frame over the bound", frameBytes({ claimedLength: 16_777_217 }), 1009],
  ])("that sends %s gets a close, and the backend none of it", async (_what, bytes, code) => {
    const received: string[] = [];
    let closed: Promise<number> | undefined;
    await using backend = await startEchoBackend({
      onConnection: (webSocket) => {
        webSocket.on("message", (data) => received.push((data as Buffer).toString()));
        closed = new Promise((resolve) => webSocket.on("close", resolve));
      },
    });
    await using gateway = await startGateway([backend.url]);
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    raw.send(Buffer.concat([frameBytes({ payload: "before" }), bytes, frameBytes({ payload: "after" })]));
    expect(await raw.closeFrame()).toMatchObject({ code });
    expect(await closed).toBe(code);
    expect(received).toEqual(["before"]);
    await within("the client's connection to end", raw.closed, 5_000);
  });

  it("that takes nothing any more is cut, and the backend with it, once it has been silent for so long", async () => {
    await using backend = await startEchoBackend({
      onConnection: (webSocket) => {
        const fill = (): void => webSocket.send(Buffer.alloc(65_536), (error) => error ?? fill());
        fill();
      },
    });
    await using gateway = await startGateway([backend.url], { gateway: { tunnel: { stall_ms: 300 } } });
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    raw.socket.pause();
    const empty = () => (backend.clients.size === 0 ? true : undefined);
    expect(await eventually("the backend's connection to end", empty)).toBe(true);
  });
});
