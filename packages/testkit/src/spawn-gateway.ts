// The gateway as a process of its own.
import { within } from "./deadline.js";
import { spawnProgram, type Exit, type SpawnOptions } from "./spawn-program.js";

/** A running `sluice gateway`. */
export interface SpawnedGateway extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** What it wrote so far, both streams. */
  readonly written: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
}

/** Starts `sluice gateway` before these services on a free port. @throws with its output when it ends before it listens. */
export async function spawnGateway(upstreams: readonly string[], options: SpawnOptions = {}): Promise<SpawnedGateway> {
  const settings = { "gateway.port": 0, "gateway.upstreams": upstreams.join(","), ...options.settings };
  const { url, child, output } = await spawnProgram("gateway", { ...options, settings });
  return {
    url,
    pid: child.pid as number,
    exited: output.exited,
    written: () => output.stdout + output.stderr,
    kill: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await within("the gateway to be gone", output.exited);
    },
  };
}
