// A `sluice` program of ours as a process: started, listened to, and never left behind.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.js";
import { testSecret } from "./tokens.js";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start one. */
export interface SpawnOptions {
  /** Settings as flags: `{ "heartbeat.interval_ms": 1000 }`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Flags that are no settings, such as `--echo`. */
  readonly args?: readonly string[];
  /** A program with its arguments that becomes the one that is wanted, such as `strace -D`. */
  readonly under?: readonly string[];
}

/** A process that listens. */
export interface SpawnedProgram {
  readonly url: string;
  readonly child: ChildProcess;
  readonly output: Output;
}

const startMs = 20_000;

/** The `sluice` program of this repository; it runs what `tsc -b` built. */
export const sluiceProgram = fileURLToPath(new URL("../../cli/bin/sluice.js", import.meta.url));

/** What a process wrote, line by line, and how it ended. */
export class Output {
  stdout = "";
  stderr = "";
  readonly exited: Promise<Exit>;
  readonly listening: Promise<string>;

  constructor(child: ChildProcess) {
    this.exited = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal })));
    this.listening = new Promise((resolve) => {
      let rest = "";
      const look = (chunk: string): void => {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const url = listeningUrl(line);
          if (url !== undefined) resolve(url);
        }
      };
      child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
        this.stdout += chunk;
        look(chunk);
      });
      child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
        this.stderr += chunk;
        look(chunk);
      });
    });
  }
}

function listeningUrl(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  const { msg, url } = JSON.parse(line) as { readonly msg?: unknown; readonly url?: unknown };
  return msg === "listening" && typeof url === "string" ? url : undefined;
}

/** Starts `sluice COMMAND` and waits until it listens. @throws with its output when it ends before. */
export async function spawnProgram(command: "serve" | "gateway", options: SpawnOptions): Promise<SpawnedProgram> {
  const { settings = {}, env = {}, args = [], under = [] } = options;
  if (!existsSync(join(dirname(sluiceProgram), "../dist/main.js"))) throw new Error("sluice is not built; run tsc -b");
  const flags = Object.entries(settings).map(([key, value]) => `--${key}=${value}`);
  const [program = "", ...words] = [...under, process.execPath, sluiceProgram, command, ...flags, ...args];
  const child = spawn(program, words, {
    env: { PATH: process.env["PATH"] ?? "", SLUICE_AUTH__HS256_SECRET: testSecret, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test run that ends in whatever way leaves no process behind.
  const killWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("close", () => process.off("exit", killWithUs));
  const output = new Output(child);
  const ended = output.exited.then((exit) => {
    const { code, signal } = exit;
    throw new Error(`sluice ${command} ended (${code ?? signal}) before it listened: ${output.stdout}${output.stderr}`);
  });
  ended.catch(() => {});
  try {
    const listening = Promise.race([output.listening, ended]);
    const what = `sluice ${command} to listen`;
    const url = await within(what, listening, startMs, () => output.stdout + output.stderr);
    return { url, child, output };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
