// The streaming service as a process of its own: what an operator starts, signals and kills.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./deadline.js";
import { testSecret } from "./tokens.js";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SpawnServiceOptions {
  /** Settings as flags: `{ "heartbeat.interval_ms": 1000 }`. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Directory of the log, which then is the caller's to delete; default one that goes with the service. */
  readonly logDir?: string;
}

const startMs = 20_000;

/** The `sluice` program of this repository; it runs what `tsc -b` built. */
export const sluiceProgram = fileURLToPath(new URL("../../cli/bin/sluice.js", import.meta.url));

/** A running `sluice serve`. */
export class Service implements AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly logDir: string;
  readonly exited: Promise<Exit>;
  readonly #output: Output;
  readonly #kill: (signal: NodeJS.Signals) => void;
  readonly #temporary: string | undefined;

  constructor(
    url: string,
    child: ChildProcess,
    output: Output,
    dirs: { logDir: string; temporary: string | undefined },
  ) {
    this.url = url;
    this.pid = child.pid as number;
    this.logDir = dirs.logDir;
    this.#temporary = dirs.temporary;
    this.exited = output.exited;
    this.#output = output;
    this.#kill = (signal) => child.kill(signal);
  }

  get stdout(): string {
    return this.#output.stdout;
  }

  get stderr(): string {
    return this.#output.stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await within("the service to be gone", this.exited);
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }
}

/** What a process wrote, line by line, and how it ended. */
class Output {
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

/** Starts `sluice serve` on a free port and waits until it listens. @throws with its output when it ends before. */
export async function spawnService(options: SpawnServiceOptions = {}): Promise<Service> {
  const { settings = {}, env = {} } = options;
  const temporary = options.logDir === undefined ? await mkdtemp(join(tmpdir(), "sluice-test-")) : undefined;
  const logDir = options.logDir ?? join(temporary as string, "log");
  if (!existsSync(join(dirname(sluiceProgram), "../dist/main.js"))) throw new Error("sluice is not built; run tsc -b");
  const flags = Object.entries({ "server.port": 0, "log.dir": logDir, ...settings });
  const args = [sluiceProgram, "serve", ...flags.map(([key, value]) => `--${key}=${value}`)];
  const child = spawn(process.execPath, args, {
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
    throw new Error(`sluice serve ended (${code ?? signal}) before it listened: ${output.stdout}${output.stderr}`);
  });
  ended.catch(() => {});
  try {
    const listening = Promise.race([output.listening, ended]);
    const url = await within("sluice serve to listen", listening, startMs, () => output.stdout + output.stderr);
    return new Service(url, child, output, { logDir, temporary });
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}
