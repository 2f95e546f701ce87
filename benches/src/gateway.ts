// What the gateway costs: throughput, added latency and memory of a tunnel, against going directly, two proxies of Node's
// and nginx, in one run on the same cores. `NGINX_PROGRAM` names nginx's program; without one it is left out.
//
// node benches/dist/gateway.js [connections, default 50] [seconds, default 5] [idle tunnels, default 5000]
import { spawnSync } from "node:child_process";
import { connect, type Socket } from "node:net";
import { PinnedChild } from "./child.js";
import type { DoorKind, DoorReport } from "./gateway-door.js";
import type { LoadReport } from "./load-client.js";

const [connections = 50, seconds = 5, idle = 5_000] = process.argv.slice(2).map(Number);
const doorCore = 1;
const restCore = 0;
/** Of so many frames one is looked at: all of those at a rate, few of those without end. */
const sampleEvery = { rate: 1, saturate: 10_000 } as const;
const settleMs = 1_000;
const mebibyte = 1_048_576;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const hasNginx = spawnSync(process.env["NGINX_PROGRAM"] ?? "nginx", ["-v"]).status === 0;
const kinds: readonly (DoorKind | "direct")[] = [
  "direct",
  "sluice",
  "http-proxy-3",
  "fastify",
  ...(hasNginx ? (["nginx"] as const) : []),
];

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? NaN).toFixed(2);
}

interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Frames and latencies of some seconds in one of the backend's modes. */
async function load(
  target: Target,
  backend: PinnedChild<Target>,
  mode: keyof typeof sampleEvery,
  door: PinnedChild<DoorReport> | undefined,
) {
  const options = { ...target, path: "/ws", subscribe: null, connections, sampleEvery: sampleEvery[mode] };
  await using client = new PinnedChild<LoadReport>("./load-client.js", options, restCore);
  await client.next();
  await backend.ask(mode);
  await pause(settleMs);
  const [first, doorBefore] = [await client.ask("report"), await door?.ask("report")];
  await pause(seconds * 1_000);
  const [last, doorAfter] = [await client.ask("report"), await door?.ask("report")];
  await backend.ask("idle");
  return {
    framesPerS: (last.frames - first.frames) / seconds,
    mebibytesPerS: (last.bytes - first.bytes) / mebibyte / seconds,
    latenciesMs: last.latenciesMs,
    cpuShare:
      doorAfter === undefined || doorBefore === undefined
        ? NaN
        : (doorAfter.cpuMs - doorBefore.cpuMs) / seconds / 1_000,
  };
}

async function openIdle({ port, headers }: Target, count: number): Promise<Socket[]> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const request =
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines.join("")}\r\n`;
  const sockets: Socket[] = [];
  for (let opened = 0; opened < count; opened += 50) {
    const some = Array.from({ length: 50 }, async () => {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => {});
      socket.write(request);
      await new Promise<void>((resolve) => socket.once("data", () => resolve()));
      sockets.push(socket);
    });
    await Promise.all(some);
  }
  return sockets;
}

console.log(
  `${connections} connections, ${seconds} s each, frames of 224 bytes; ${idle} idle tunnels; door on a core of its own`,
);
console.log("door           frames/s   MiB/s   cpu     p50 ms   p99 ms   KiB a tunnel");
for (const kind of kinds) {
  await using backend = new PinnedChild<Target>("./gateway-backend.js", {}, restCore);
  const { port } = await backend.next();
  await using door =
    kind === "direct"
      ? undefined
      : new PinnedChild<DoorReport>("./gateway-door.js", { kind, backendPort: port, core: doorCore }, doorCore);
  const told = await door?.next();
  const target: Target = told ?? { port, headers: {} };
  let weight = "–";
  if (door !== undefined) {
    // Once up and down, so that what is measured is tunnels and not the first growth of a heap.
    for (const socket of await openIdle(target, 500)) socket.destroy();
    await pause(settleMs);
    const before = await door.ask("report");
    const sockets = await openIdle(target, idle);
    await pause(settleMs);
    weight = (((await door.ask("report")).rssBytes - before.rssBytes) / 1024 / sockets.length).toFixed(1);
    for (const socket of sockets) socket.destroy();
    await pause(settleMs);
  }
  const slow = await load(target, backend, "rate", door);
  const fast = await load(target, backend, "saturate", door);
  const cells = [
    kind.padEnd(13),
    Math.round(fast.framesPerS).toString().padStart(9),
    fast.mebibytesPerS.toFixed(0).padStart(7),
    Number.isNaN(fast.cpuShare) ? "   –" : `${(fast.cpuShare * 100).toFixed(0)} %`.padStart(5),
    quantile(slow.latenciesMs, 0.5).padStart(8),
    quantile(slow.latenciesMs, 0.99).padStart(8),
    weight.padStart(10),
  ];
  console.log(cells.join("  "));
}
