// A real nats-server for tests of the JetStream engine, and connections to it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";

/** Whether nats-server can be run here; without it the tests that need it are skipped. */
export const hasNatsServer = isInstalled();

const startMs = 15_000;
const lookMs = 20;

/** A running server with JetStream, on a free port of the loopback. */
export interface NatsUnderTest extends AsyncDisposable {
  readonly url: string;
  connect(): Promise<NatsConnection>;
}

/** Starts a server with an empty store; disposing of it ends its connections and deletes the store. */
export async function startNatsServer(): Promise<NatsUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-nats-"));
  const args = ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", join(dir, "store"), "--ports_file_dir", dir];
  const child = spawn("nats-server", args, { stdio: "ignore" });
  const killWithUs = (): void => void child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const exited = new Promise((resolve) => child.once("close", resolve));
  const url = await portOf(join(dir, `nats-server_${child.pid}.ports`));
  const connections: NatsConnection[] = [];
  return {
    url,
    connect: async () => {
      const nats = await connect({ servers: url });
      connections.push(nats);
      return nats;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map((nats) => nats.close()));
      killWithUs();
      process.off("exit", killWithUs);
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function portOf(file: string): Promise<string> {
  for (const end = performance.now() + startMs; performance.now() < end;) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.endsWith("}")) return (JSON.parse(text) as { readonly nats: readonly [string] }).nats[0];
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  throw new Error("nats-server did not start");
}

function isInstalled(): boolean {
  try {
    execFileSync("nats-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
