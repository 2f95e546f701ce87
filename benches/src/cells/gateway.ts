// What a door costs: throughput, latency and memory of a tunnel, against going directly, two proxies of Node's and nginx.

import { spawnSync } from "node:child_process";
import { pause, percentile, ratioOf, type Cell, type Figures, type Variant } from "../cell.js";
import { PinnedChild } from "../child.js";
import { clientCore, serverCore } from "../contenders.js";
import { nginxProgram, type DoorKind, type DoorReport } from "../door-kind.js";
import type { LoadClientOptions, LoadReport } from "../load-client.js";

const connections = 50;
const fewConnections = 5;
const idleTunnels = 5_000;
/** Opened and closed again first, so that what is measured is tunnels and not the first growth of a heap. */
const rehearsal = 500;
/** Load that nobody looks at, before each measurement: code is compiled, and what starting left behind collected, in all of them. */
const warmMs = 2_000;
/** Both cells together take eight minutes. */
const repeats = 3;
/** Closed tunnels leave behind what has to be tidied up; that must not run into what is measured. */
const calmMs = 2_500;
/** Of one frame of the backend's, header included. */
const frameBytes = 224;
const mebibyte = 1_048_576;

type Route = DoorKind | "direct";

/** Where the load goes. */
interface Target {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** A backend, and a door before it where there is one. */
class Setting implements AsyncDisposable {
  readonly backend: PinnedChild<Target>;
  readonly door: PinnedChild<DoorReport> | undefined;
  readonly target: Target;

  private constructor(backend: PinnedChild<Target>, door: PinnedChild<DoorReport> | undefined, target: Target) {
    this.backend = backend;
    this.door = door;
    this.target = target;
  }

  static async start(route: Route): Promise<Setting> {
    const backend = new PinnedChild<Target>("gateway-backend.js", {}, clientCore);
    const { port } = await backend.next();
    if (route === "direct") return new Setting(backend, undefined, { port, headers: {} });
    const options = { kind: route, backendPort: port, core: serverCore };
    const door = new PinnedChild<DoorReport>("gateway-door.js", options, serverCore);
    try {
      return new Setting(backend, door, await door.next());
    } catch (error) {
      await backend[Symbol.asyncDispose]();
      throw error;
    }
  }

  async openClient(more: Partial<LoadClientOptions> & Pick<LoadClientOptions, "connections">) {
    const options = { ...this.target, path: "/ws", subscribe: null, sampleEvery: 1, ...more };
    const client = new PinnedChild<LoadReport>("load-client.js", options, clientCore);
    await client.next();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.door?.[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}

/** Frames and latencies of some seconds in one of the backend's modes. */
async function load(setting: Setting, mode: "rate" | "saturate", count: number, seconds: number) {
  const { backend, door } = setting;
  const counting = mode === "saturate" ? { frameBytes } : { sampleEvery: 1 };
  await using client = await setting.openClient({ connections: count, ...counting });
  await backend.ask(mode);
  await pause(warmMs);
  const [first, doorBefore] = [await client.ask("begin"), await door?.ask("report")];
  const startMs = performance.now();
  await pause(seconds * 1_000);
  const [last, doorAfter] = [await client.ask("report"), await door?.ask("report")];
  const elapsedS = (performance.now() - startMs) / 1_000;
  await backend.ask("idle");
  const cpuMs = (doorAfter?.cpuMs ?? Number.NaN) - (doorBefore?.cpuMs ?? Number.NaN);
  return {
    framesPerS: (last.frames - first.frames) / elapsedS,
    mebibytesPerS: (last.bytes - first.bytes) / mebibyte / elapsedS,
    latenciesMs: last.latenciesMs,
    doorCpuPercent: cpuMs / 10 / elapsedS,
    framesPerCpuS: ((last.frames - first.frames) * 1_000) / cpuMs,
  };
}

async function measureFlow(route: Route, seconds: number): Promise<Figures> {
  await using setting = await Setting.start(route);
  const few = await load(setting, "rate", fewConnections, seconds);
  const many = await load(setting, "rate", connections, seconds);
  const full = await load(setting, "saturate", connections, seconds);
  return {
    framesPerS: full.framesPerS,
    mebibytesPerS: full.mebibytesPerS,
    doorCpuPercent: full.doorCpuPercent,
    framesPerCpuS: full.framesPerCpuS,
    fewP50Ms: percentile(few.latenciesMs, 0.5),
    fewP99Ms: percentile(few.latenciesMs, 0.99),
    manyP50Ms: percentile(many.latenciesMs, 0.5),
    manyP99Ms: percentile(many.latenciesMs, 0.99),
    manyMaxMs: percentile(many.latenciesMs, 1),
    manyDoorCpuPercent: many.doorCpuPercent,
  };
}

async function measureTunnels(route: DoorKind): Promise<Figures> {
  await using setting = await Setting.start(route);
  const { door } = setting;
  if (door === undefined) throw new Error("a tunnel needs a door");
  const first = await setting.openClient({ connections: rehearsal });
  await first[Symbol.asyncDispose]();
  await pause(calmMs);
  const before = await door.ask("report");
  await using client = await setting.openClient({ connections: idleTunnels });
  await pause(calmMs);
  const after = await door.ask("report");
  const { closed } = await client.ask("report");
  const grownBytes = after.rssBytes - before.rssBytes;
  return {
    tunnelKb: grownBytes / 1_024 / idleTunnels,
    processMb: after.rssBytes / mebibyte,
    cpuUs: ((after.cpuMs - before.cpuMs) * 1_000) / idleTunnels,
    closed,
  };
}

function doors(): DoorKind[] {
  const hasNginx = spawnSync(nginxProgram, ["-v"]).status === 0;
  if (!hasNginx)
    process.stderr.write(`Not installed: ${nginxProgram} (Debian's nginx-light; NGINX_PROGRAM says where)\n`);
  return ["sluice", "http-proxy-3", "fastify", ...(hasNginx ? (["nginx"] as const) : [])];
}

const others = ["http-proxy-3", "fastify", "nginx"];

export const gatewayCell: Cell = {
  name: "gateway",
  summary: `through the gateway: ${connections} tunnels saturated, and ${fewConnections} and ${connections} at 50 frames/s each`,
  columns: [
    { figure: "framesPerS", title: "frames/s" },
    { figure: "mebibytesPerS", title: "MiB/s" },
    { figure: "doorCpuPercent", title: "door CPU %" },
    { figure: "framesPerCpuS", title: "frames per CPU s of the door" },
    { figure: "fewP50Ms", title: `p50 ms, ${fewConnections} tunnels`, digits: 2 },
    { figure: "fewP99Ms", title: "p99", digits: 2 },
    { figure: "manyP50Ms", title: `p50 ms, ${connections} tunnels`, digits: 2 },
    { figure: "manyP99Ms", title: "p99", digits: 2 },
    { figure: "manyMaxMs", title: "longest", digits: 1 },
    { figure: "manyDoorCpuPercent", title: "door CPU %", digits: 1 },
  ],
  repeats,
  variants: ({ seconds }): Variant[] =>
    (["direct", ...doors()] as const).map((route) => ({ name: route, measure: () => measureFlow(route, seconds) })),
  findings: (medians) =>
    others.flatMap((other) => [
      ...ratioOf(medians, ["sluice", other], "framesPerS", "frames/s"),
      ...ratioOf(medians, ["sluice", other], "framesPerCpuS", "frames per CPU s of the door"),
      ...ratioOf(medians, ["sluice", other], "fewP99Ms", `p99 of ${fewConnections} tunnels`),
      ...ratioOf(medians, ["sluice", other], "manyP99Ms", `p99 of ${connections} tunnels`),
    ]),
};

export const gatewayTunnelsCell: Cell = {
  name: "gateway-tunnels",
  summary: `memory of ${idleTunnels} idle tunnels, and the CPU of opening them`,
  columns: [
    { figure: "tunnelKb", title: "RSS KiB per tunnel", digits: 1 },
    { figure: "processMb", title: "process MiB" },
    { figure: "cpuUs", title: "door CPU µs per handshake" },
    { figure: "closed", title: "closed" },
  ],
  repeats,
  variants: (): Variant[] => doors().map((kind) => ({ name: kind, measure: () => measureTunnels(kind) })),
  findings: (medians) =>
    others.flatMap((other) => ratioOf(medians, ["sluice", other], "tunnelKb", "memory of a tunnel")),
};
