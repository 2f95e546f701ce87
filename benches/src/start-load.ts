// Starts a cell's subscribers: the native client, which is never what is full first, where the machine has a C compiler
// and the cell asks for nothing that only Node's client can do.

import { spawnSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PinnedChild } from "./child.js";
import type { LoadClientOptions, LoadReport } from "./load-client.js";
import { handshakeRequest } from "./raw-handshake.js";

const source = fileURLToPath(new URL("../native/subscribers.c", import.meta.url));
const program = new URL("native/subscribers", import.meta.url);
/** What the native client knows of the options. */
const known: ReadonlySet<string> = new Set<keyof LoadClientOptions>([
  "port",
  "path",
  "headers",
  "subscribe",
  "connections",
  "sampleEvery",
  "isWhole",
]);

let isCompiled: boolean | undefined;

function modifiedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether there is a native client; it is compiled when its source is newer. BENCH_CLIENT=node does without it. */
export function hasNativeClient(): boolean {
  isCompiled ??= process.env["BENCH_CLIENT"] !== "node" && compile();
  return isCompiled;
}

function compile(): boolean {
  const path = fileURLToPath(program);
  if (modifiedMs(path) > modifiedMs(source)) return true;
  mkdirSync(fileURLToPath(new URL("native/", import.meta.url)), { recursive: true });
  const { error, status } = spawnSync("cc", ["-O2", "-o", path, source], { stdio: ["ignore", "inherit", "inherit"] });
  return error === undefined && status === 0;
}

/** Starts them on a core; the first report comes when all are connected. */
export function startLoad(options: LoadClientOptions, core: number): PinnedChild<LoadReport> {
  const isKnown = Object.keys(options).every((name) => known.has(name));
  if (!isKnown || !hasNativeClient()) return new PinnedChild<LoadReport>("load-client.js", options, core);
  return new PinnedChild<LoadReport>(program.href, nativeArguments(options), core, { isNative: true });
}

function nativeArguments(options: LoadClientOptions): string[] {
  const { port, path, headers, connections, sampleEvery, isWhole = false } = options;
  const subscribe = options.subscribe === null ? [] : [options.subscribe].flat();
  return [
    `port=${port}`,
    `connections=${connections}`,
    `sample_every=${sampleEvery}`,
    `whole=${isWhole ? 1 : 0}`,
    `request=${handshakeRequest(port, path, headers)}`,
    ...subscribe.map((text) => `subscribe=${text}`),
  ];
}
