// The streaming service as a process of its own: what an operator starts, signals and kills.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./deadline.js";
import { spawnProgram, type Exit, type SpawnedProgram, type SpawnOptions } from "./spawn-program.js";
import { testLogSettings } from "./test-log.js";

export interface SpawnServiceOptions extends SpawnOptions {
  /** Directory of the log, which then is the caller's to delete; default one that goes with the service. */
  readonly logDir?: string;
}

/** A running `sluice serve`. */
export class Service implements AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly logDir: string;
  readonly exited: Promise<Exit>;
  readonly #program: SpawnedProgram;
  readonly #temporary: string | undefined;

  constructor(program: SpawnedProgram, dirs: { logDir: string; temporary: string | undefined }) {
    this.url = program.url;
    this.pid = program.child.pid as number;
    this.logDir = dirs.logDir;
    this.#temporary = dirs.temporary;
    this.exited = program.output.exited;
    this.#program = program;
  }

  get stdout(): string {
    return this.#program.output.stdout;
  }

  get stderr(): string {
    return this.#program.output.stderr;
  }

  kill(signal: NodeJS.Signals): void {
    this.#program.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await within("the service to be gone", this.exited);
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
  }
}

/** Starts `sluice serve` on a free port and waits until it listens. @throws with its output when it ends before. */
export async function spawnService(options: SpawnServiceOptions = {}): Promise<Service> {
  const temporary = options.logDir === undefined ? await mkdtemp(join(tmpdir(), "sluice-test-")) : undefined;
  const logDir = options.logDir ?? join(temporary as string, "log");
  const settings = { "server.port": 0, ...logFlags(logDir), ...options.settings };
  return new Service(await spawnProgram("serve", { ...options, settings }), { logDir, temporary });
}

function logFlags(dir: string): Record<string, string> {
  const sections = Object.entries(testLogSettings(dir, "embedded"));
  const flags = sections.flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => [`${section}.${key}`, String(value)] as const),
  );
  return Object.fromEntries(flags);
}
