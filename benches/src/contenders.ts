// The servers that are measured, and how each is started. Peers that aren't installed are left out.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PinnedChild, type Program } from "./child.js";
import type { ServerOptions, ServerReport } from "./server-report.js";

/** Of two cores the server has one and the load client the other. */
export const serverCore = 0;
export const clientCore = 1;

export type ContenderName = "sluice" | "frames" | "ws" | "bun" | "socket.io";

interface Contender {
  readonly script: string;
  readonly program: Program;
  readonly isInstalled: boolean;
}

const peers = new URL("../peers/", import.meta.url);
const bun = process.env["PEER_BUN"] ?? fileURLToPath(new URL("node_modules/@oven/bun-linux-x64/bin/bun", peers));
/** So that memory is measured after a collection. */
const collecting: Program = { flags: ["--expose-gc"] };
/** Where CPU profiles of Node's servers go; none are made when it isn't set. */
const profileDir = process.env["BENCH_PROFILE"];
const profiling = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
/** Flags of Node for its servers, `--trace-gc` for instance; none by default. */
const given = (process.env["BENCH_NODE_FLAGS"] ?? "").split(" ").filter((flag) => flag !== "");
const ours: Program = { flags: ["--expose-gc", ...profiling, ...given] };

const contenders: Readonly<Record<ContenderName, Contender>> = {
  sluice: { script: "sluice-server.js", program: ours, isInstalled: true },
  frames: { script: "frames-server.js", program: ours, isInstalled: true },
  ws: { script: "ws-server.js", program: ours, isInstalled: true },
  bun: {
    script: new URL("bun-server.js", peers).href,
    program: { execPath: bun },
    isInstalled: existsSync(bun),
  },
  "socket.io": {
    script: new URL("socket-io-server.js", peers).href,
    program: collecting,
    isInstalled: existsSync(new URL("node_modules/socket.io", peers)),
  },
};

/** Those of `names` that are installed. */
export function installed(names: readonly ContenderName[]): ContenderName[] {
  return names.filter((name) => contenders[name].isInstalled);
}

/** The peers that are not there. */
export function missingPeers(): string[] {
  return Object.entries(contenders).flatMap(([name, { isInstalled }]) => (isInstalled ? [] : [name]));
}

/** Starts a server on its core. */
export function startServer(name: ContenderName, options: ServerOptions): PinnedChild<ServerReport> {
  const { script, program } = contenders[name];
  return new PinnedChild<ServerReport>(script, options, serverCore, program);
}
