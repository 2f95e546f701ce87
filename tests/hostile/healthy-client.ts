// A client in order beside the hostile ones, and how long it waits.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { mint, within } from "@sluice/testkit";

/** What it measured, ms. */
export interface Measured {
  readonly count: number;
  readonly failures: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface HealthyClient extends AsyncDisposable {
  /** What it measured since the last time. */
  report(): Promise<Measured>;
}

const program = fileURLToPath(new URL("fixtures/healthy-client.mjs", import.meta.url));

/** Starts one: 40 commands a second on one connection, or 40 handshakes a second. */
export function startHealthyClient(url: string, mode: "command" | "handshake"): HealthyClient {
  const child = fork(program, [url, mint({ sub: "healthy" }), mode]);
  const exited = once(child, "exit");
  return {
    report: async () => {
      const answer = once(child, "message");
      child.send("report");
      const [measured] = (await within("the healthy client's report", answer)) as [Measured];
      return measured;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
