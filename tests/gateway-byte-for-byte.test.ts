// Whatever two WebSocket peers say to each other goes through the gateway as it is.
import { randomBytes } from "node:crypto";
import {
  acceptingHead,
  frameBytes,
  mint,
  opcodes,
  RawSocket,
  startEchoBackend,
  startGateway,
  startRawBackend,
  upgradeRequest,
  within,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

const token = mint();
const largest = 16 * 1_048_576;

/** A backend that sends back the very bytes, with every frame unmasked by its own hand. */
const mirror = (): Promise<Awaited<ReturnType<typeof startRawBackend>>> =>
  startRawBackend((socket, head) => {
    socket.write(acceptingHead(head));
    let text = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      text = Buffer.concat([text, chunk]);
      for (let frame = unmask(text); frame !== undefined; frame = unmask(text)) {
        socket.write(frame.bytes);
        text = frame.rest;
      }
    });
  });

/** The first frame of a client as a server would send it. */
function unmask(bytes: Buffer): { bytes: Buffer; rest: Buffer<ArrayBuffer> } | undefined {
  if (bytes.length < 2) return undefined;
  const short = (bytes[1] as number) & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  if (bytes.length < 2 + extended + 4) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const start = 2 + extended + 4;
  if (bytes.length < start + length) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const head = Buffer.from(bytes.subarray(0, 2 + extended));
  head[1] = short;
  const payload = Buffer.from(bytes.subarray(start, start + length)).map((byte, n) => byte ^ (mask[n % 4] as number));
  return { bytes: Buffer.concat([head, payload]), rest: Buffer.from(bytes.subarray(start + length)) };
}

let gateway: Awaited<ReturnType<typeof startGateway>>;
let backend: Awaited<ReturnType<typeof mirror>>;
beforeAll(async () => {
  backend = await mirror();
  gateway = await startGateway([backend.url]);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await backend[Symbol.asyncDispose]();
});

const { text, binary, continuation, ping, pong } = opcodes;
const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 200_000];
interface SentFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly fin?: boolean;
}
const conversations: readonly (readonly [string, readonly SentFrame[]])[] = [
  ...sizes.map((size) => [`binary of ${size} bytes`, [{ opcode: binary, payload: randomBytes(size) }]] as const),
  ["text of many bytes a letter", [{ opcode: text, payload: "κόσμε 🦀 ".repeat(1_000) }]],
  ["text that is no UTF-8, which is the peers' matter", [{ opcode: text, payload: Buffer.from([0xc3, 0x28]) }]],
  [
    "fragments with control frames between them",
    [
      { opcode: text, payload: "one ", fin: false },
      { opcode: ping, payload: "still there?" },
      { opcode: continuation, payload: "", fin: false },
      { opcode: pong },
      { opcode: continuation, payload: "two", fin: true },
      { opcode: text, payload: "after" },
    ],
  ],
  ["many small frames", Array.from({ length: 5_000 }, (_, n) => ({ opcode: text, payload: `frame ${n}` }))],
  [
    "a fragmented large message",
    Array.from({ length: 40 }, (_, n) => ({
      opcode: n === 0 ? binary : continuation,
      payload: randomBytes(70_000),
      fin: n === 39,
    })),
  ],
];

describe("frames come back byte for byte", () => {
  it.each(conversations)("%s", async (_what, frames) => {
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    raw.send(Buffer.concat(frames.map((frame) => frameBytes(frame))));
    for (const { opcode, payload = "", fin = true } of frames) {
      const frame = await raw.frame();
      expect({ ...frame, payload: frame.payload.length }).toEqual({
        fin,
        rsv: 0,
        opcode,
        payload: Buffer.from(payload).length,
      });
      expect(frame.payload.equals(Buffer.from(payload))).toBe(true);
    }
  });

  it("one byte at a time", async () => {
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    raw.socket.setNoDelay(true);
    const bytes = Buffer.concat([frameBytes({ payload: "x".repeat(130) }), frameBytes({ opcode: ping, payload: "p" })]);
    for (const byte of bytes) {
      raw.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await raw.frame()).payload.toString()).toBe("x".repeat(130));
    expect(await raw.frame()).toMatchObject({ opcode: ping });
  });

  it("frames sent along with the handshake", async () => {
    await using raw = await RawSocket.connect(gateway.url);
    raw.send(Buffer.concat([Buffer.from(upgradeRequest({ token })), frameBytes({ payload: "early" })]));
    expect(await raw.head()).toMatchObject({ status: 101 });
    expect((await raw.frame()).payload.toString()).toBe("early");
  });
});

describe("a whole client of another make", () => {
  const exchange = async (
    url: string,
    message: Buffer,
    options: object,
  ): Promise<{ back: Buffer; extensions: string }> => {
    const webSocket = new WebSocket(url.replace("http", "ws") + "/ws", {
      headers: { authorization: `Bearer ${token}` },
      maxPayload: largest,
      ...options,
    });
    const back = new Promise<Buffer>((resolve, reject) => {
      webSocket.on("message", (data) => resolve(data as Buffer)).on("error", reject);
      webSocket.on("close", (code) => reject(new Error(`closed with ${code}`)));
      webSocket.on("open", () => webSocket.send(message));
    });
    const received = await within("the echo", back, 30_000);
    const { extensions } = webSocket;
    webSocket.terminate();
    return { back: received, extensions };
  };

  it.each([
    ["uncompressed", false],
    ["compressed from end to end", true],
  ])("a message of 16 MiB, %s", async (_how, perMessageDeflate) => {
    await using echo = await startEchoBackend({ options: { perMessageDeflate, maxPayload: largest } });
    await using door = await startGateway([echo.url]);
    const message = Buffer.concat([randomBytes(largest / 2), Buffer.alloc(largest / 2)]);
    const { back, extensions } = await exchange(door.url, message, { perMessageDeflate });
    expect(back.equals(message)).toBe(true);
    expect(extensions).toBe(perMessageDeflate ? "permessage-deflate" : "");
  });
});
