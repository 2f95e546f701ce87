// The benches' two load clients, of Node and native, say the same of the same stream, and what is true of it.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { frameBytes, opcodes } from "@sluice/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

interface Report {
  readonly latenciesMs: readonly number[];
  readonly [figure: string]: unknown;
}
interface LoadClient extends AsyncDisposable {
  next(): Promise<Report>;
  ask(request: string): Promise<Report>;
}
type StartLoad = (options: object, core: number | null) => LoadClient;

const module = new URL("../benches/dist/start-load.js", import.meta.url).href;
const hasCompiler = spawnSync("cc", ["--version"]).status === 0;
const connections = 3;
/** Between two pieces, so that each is a read of its own. */
const pieceMs = 30;

let server: Server;
let sockets: Socket[];
let subscriptions: string[];
let answers: string[];

/** A text frame as a server sends it; `sent_at` so long ago, ms. */
function event(seq: number, noteBytes: number, agoMs = 5): Buffer {
  const sentAt = performance.timeOrigin + performance.now() - agoMs;
  const text = `{"type":"event","seq":${seq},"payload":{"sent_at":${sentAt},"note":"${"x".repeat(noteBytes)}"}}`;
  return frameBytes({ payload: text, masked: false });
}

function unmasked(frame: Buffer): string {
  const at = ((frame[1] ?? 0) & 0x7f) === 126 ? 4 : 2;
  const mask = frame.subarray(at, at + 4);
  return Buffer.from(frame.subarray(at + 4).map((byte, index) => byte ^ (mask[index % 4] ?? 0))).toString();
}

beforeEach(async () => {
  sockets = [];
  subscriptions = [];
  answers = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.once("data", (frame: Buffer) => {
        subscriptions.push(unmasked(frame));
        socket.on("data", (answer: Buffer) => answers.push(unmasked(answer)));
      });
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** Sends the stream to all, a piece at a time. */
async function send(stream: Buffer, cuts: readonly number[]): Promise<void> {
  for (const [index, from] of [0, ...cuts].entries()) {
    for (const socket of sockets) socket.write(stream.subarray(from, cuts[index] ?? stream.length));
    await new Promise((resolve) => setTimeout(resolve, pieceMs));
  }
}

async function untilRead(client: LoadClient, bytes: number): Promise<Report> {
  const latenciesMs: number[] = [];
  for (;;) {
    const report = await client.ask("report");
    latenciesMs.push(...report.latenciesMs);
    if (report["bytes"] === bytes) return { ...report, latenciesMs };
  }
}

const clients = [
  { name: "of Node", client: "node", isThere: true },
  { name: "native", client: "", isThere: hasCompiler },
];

async function start(client: string, own: object): Promise<LoadClient> {
  process.env["BENCH_CLIENT"] = client;
  const { startLoad } = (await import(`${module}?${client}`)) as { startLoad: StartLoad };
  const { port } = server.address() as AddressInfo;
  return startLoad({ port, path: "/ws", headers: {}, connections, isWhole: true, ...own }, null);
}

describe.each(clients)("the load client $name", ({ client, isThere }) => {
  // Without a C compiler the benches do without it too, and say so.
  it.skipIf(!isThere)("counts frames however they are cut, finds what is missing, answers pings", async () => {
    const subscribe = ["first #", `second # ${"y".repeat(200)}`];
    await using load = await start(client, { subscribe, sampleEvery: 1 });
    expect(await load.next()).toMatchObject({ connected: connections, frames: 0, bytes: 0, closed: 0 });
    while (subscriptions.length < connections) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(subscriptions.toSorted()).toEqual(["first 0", "first 2", `second 1 ${"y".repeat(200)}`]);

    const gap = frameBytes({ payload: '{"type":"gap","from_seq":5,"to_seq":9}', masked: false });
    const control = frameBytes({ opcode: opcodes.ping, payload: "p", masked: false });
    const ping = frameBytes({ payload: '{"type":"ping","timestamp":"…","seq":11}', masked: false });
    const parts = [
      event(1, 0),
      event(2, 20),
      event(3, 300),
      control,
      event(4, 65_535),
      gap,
      // Five are missing but for the gap's own frame, which counts as one that came.
      event(10, 65_536),
      event(11, 1000),
      event(9, 10),
      event(10, 70_000),
      ping,
    ];
    const stream = Buffer.concat(parts);
    const starts = parts.map((_, index) => Buffer.concat(parts.slice(0, index)).length);
    // In a header of 2 bytes, of 4 and of 10, behind one, in a payload, between two frames.
    const cuts = [1, 1 + (starts[2] ?? 0), 5 + (starts[4] ?? 0), 40_000, 10 + (starts[6] ?? 0), starts[7] ?? 0];
    await load.ask("begin");
    await send(stream, cuts);
    const report = await untilRead(load, stream.length * connections);
    expect(report).toMatchObject({
      frames: 10 * connections,
      pings: connections,
      gaps: connections,
      missing: 4 * connections,
      outOfOrder: connections,
      silent: 0,
      closed: 0,
    });
    while (answers.length < connections) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(answers).toEqual(Array.from({ length: connections }, () => '{"type":"pong"}'));
    expect(report.latenciesMs.length).toBeGreaterThan(4 * connections);
    expect(Math.min(...report.latenciesMs)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...report.latenciesMs)).toBeLessThan(30_000);
  });

  it.skipIf(!isThere)("looks at every event, each at some of the connections", async () => {
    await using load = await start(client, { subscribe: "all", sampleEvery: connections });
    await load.next();
    while (subscriptions.length < connections) await new Promise((resolve) => setTimeout(resolve, 5));
    const agoS = [100, 200, 300];
    const stream = Buffer.concat(agoS.map((ago, index) => event(index + 1, 0, ago * 1000)));
    await send(stream, []);
    const { latenciesMs } = await untilRead(load, stream.length * connections);
    const seenAgoS = latenciesMs.map((ms) => Math.floor(ms / 100_000) * 100).toSorted((a, b) => a - b);
    expect(seenAgoS).toEqual(agoS);
  });
});
