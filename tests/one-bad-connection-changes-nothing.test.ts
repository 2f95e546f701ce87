// Whatever one connection does to its own bytes, the process serves on and the others' streams are as they would have
// been.
import {
  adminToken,
  closePayload,
  frameBytes,
  mint,
  numberedEvents,
  numberOf,
  opcodes,
  publish,
  RawClient,
  RawSocket,
  request,
  spawnService,
  upgradeRequest,
  type Service,
} from "@sluice/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

const token = mint({ sub: "hostile" });

let service: Service;
let witness: RawClient;
let published = 0;
beforeAll(async () => {
  service = await spawnService({ settings: { "limits.handshake_ms": 2000 } });
  witness = await RawClient.connect(service.url, { token: mint({ sub: "witness" }) });
  await witness.subscribe(["GPU_UPDATE"]);
});
afterAll(async () => {
  await witness[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

const hello = (): string => upgradeRequest({ token });

/** Each does its worst, and leaves the connection as it is then. */
const hostilities: readonly [string, (raw: RawSocket) => void | Promise<void>][] = [
  ["a connection reset before a byte", (raw) => raw.reset()],
  [
    "a reset in the middle of a handshake",
    (raw) => {
      raw.send(hello().slice(0, 40));
      raw.reset();
    },
  ],
  [
    "a reset right after a handshake",
    (raw) => {
      raw.send(hello());
      raw.reset();
    },
  ],
  [
    "a reset right after a refused handshake",
    (raw) => {
      raw.send(upgradeRequest({ token: "nonsense" }));
      raw.reset();
    },
  ],
  [
    "a refused handshake followed by frames",
    (raw) => {
      raw.send(upgradeRequest({ token: "nonsense" }));
      raw.send(frameBytes({ payload: '{"type":"ping"}' }));
    },
  ],
  [
    "frames sent along with the handshake",
    (raw) => {
      raw.send(Buffer.concat([Buffer.from(hello()), frameBytes({ rsv: 7 })]));
    },
  ],
  ["bytes that are no HTTP", (raw) => raw.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))],
  [
    "the end of the stream in the middle of a handshake",
    (raw) => {
      raw.send(hello().slice(0, 60));
      raw.socket.end();
    },
  ],
  ["a reserved bit", upgradedThen(frameBytes({ rsv: 4, payload: "x" }))],
  ["an unmasked frame", upgradedThen(frameBytes({ masked: false, payload: '{"type":"ping"}' }))],
  ["an unknown opcode", upgradedThen(frameBytes({ opcode: 0xb, payload: "x" }))],
  ["a continuation of nothing", upgradedThen(frameBytes({ opcode: opcodes.continuation, payload: "x" }))],
  ["a length of 2^63 - 1", upgradedThen(Buffer.from([0x81, 0xff, 0x7f, ...Array.from({ length: 7 }, () => 0xff)]))],
  ["bad UTF-8", upgradedThen(frameBytes({ payload: Buffer.from([0xc3, 0x28]) }))],
  ["a close frame of one byte", upgradedThen(frameBytes({ opcode: opcodes.close, payload: "x" }))],
  [
    "a reset in the middle of a frame",
    async (raw) => {
      await upgrade(raw);
      raw.send(frameBytes({ payload: "x".repeat(1000) }).subarray(0, 100));
      raw.reset();
    },
  ],
  [
    "a reset in the middle of a close",
    async (raw) => {
      await upgrade(raw);
      raw.send(frameBytes({ opcode: opcodes.close, payload: closePayload(1000) }));
      raw.reset();
    },
  ],
  [
    "half of the stream closed without a close frame",
    async (raw) => {
      await upgrade(raw);
      raw.socket.end();
    },
  ],
  [
    "a subscription to everything from the beginning, and a reset while it is replayed",
    async (raw) => {
      await upgrade(raw);
      raw.send(frameBytes({ payload: JSON.stringify({ type: "subscribe", events: ["*"], since: 0 }) }));
      raw.reset();
    },
  ],
  [
    "a thousand subscribes and unsubscribes, unread",
    async (raw) => {
      await upgrade(raw);
      raw.socket.pause();
      const turn = [
        frameBytes({ payload: '{"type":"subscribe","events":["A*","B"],"since":0}' }),
        frameBytes({ payload: '{"type":"unsubscribe","events":["A*"]}' }),
      ];
      raw.send(Buffer.concat(Array.from({ length: 500 }, () => turn).flat()));
    },
  ],
  [
    "ten thousand pings",
    async (raw) => {
      await upgrade(raw);
      raw.send(Buffer.concat(Array.from({ length: 10_000 }, () => frameBytes({ opcode: opcodes.ping, payload: "x" }))));
    },
  ],
  [
    "a flood of tiny fragments",
    async (raw) => {
      await upgrade(raw);
      raw.send(frameBytes({ fin: false, payload: "{" }));
      const fragment = frameBytes({ opcode: opcodes.continuation, fin: false, payload: "" });
      raw.send(Buffer.concat(Array.from({ length: 5000 }, () => fragment)));
    },
  ],
  [
    "an HTTP body that never comes",
    (raw) => {
      const head = `POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${mint({ scope: "events:publish" })}\r\n`;
      raw.send(`${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`);
      raw.reset();
    },
  ],
];

async function upgrade(raw: RawSocket): Promise<void> {
  raw.send(hello());
  expect((await raw.head()).status).toBe(101);
}

function upgradedThen(bytes: Buffer): (raw: RawSocket) => Promise<void> {
  return async (raw) => {
    await upgrade(raw);
    raw.send(bytes);
    await raw.closeFrame();
  };
}

/** The witness gets the next events, all of them, and nothing else; the process is the same. */
async function expectNothingChanged(): Promise<void> {
  await publish(service.url, numberedEvents(20, published));
  const frames = await witness.until(
    "the next 20 events",
    (frame) => frame["payload"] !== undefined && numberOf({ payload: frame["payload"] }) === published + 19,
  );
  const others = frames.filter(({ type }) => type !== "event" && type !== "ping" && type !== "connected");
  expect(others).toEqual([]);
  const numbers = frames.filter(({ type }) => type === "event").map(({ payload }) => numberOf({ payload }));
  expect(numbers).toEqual(Array.from({ length: 20 }, (_, index) => published + index));
  published += 20;
}

it.each(hostilities)("%s", async (_what, attack) => {
  const raws = await Promise.all(Array.from({ length: 5 }, () => RawSocket.connect(service.url)));
  await Promise.all(raws.map(async (raw) => attack(raw)));
  await expectNothingChanged();
  await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
  await expectNothingChanged();
  expect((await request(service.url, "/livez")).status).toBe(200);
});

it("all of them at once, with the process still the one that was started", async () => {
  const raws = await Promise.all(hostilities.map(() => RawSocket.connect(service.url)));
  await Promise.allSettled(hostilities.map(async ([, attack], index) => attack(raws[index] as RawSocket)));
  await expectNothingChanged();
  await Promise.all(raws.map((raw) => raw[Symbol.asyncDispose]()));
  expect((await request(service.url, "/livez")).status).toBe(200);
  const { json } = await request(service.url, "/api/v1/connections", { token: adminToken() });
  expect(json).toMatchObject({
    connections: expect.arrayContaining([expect.objectContaining({ user_id: "witness" })]) as unknown,
  });
  const faults = service.stdout.split("\n").filter((line) => line.includes('"level":50'));
  expect(faults, "faults of ours in the log").toEqual([]);
  expect(service.stderr).toBe("");
});
