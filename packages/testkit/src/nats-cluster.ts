// Real nats-server processes on the loopback, with JetStream: one, or a cluster of three that can be killed one by one.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./deadline.js";

/** Whether nats-server is installed; where it isn't, tests that need it are skipped. */
export const hasNatsServer = isInstalled();

const readyMs = 30_000;
/** Every test's stream reserves what its retention may take; a share of the disk, as by default, is soon reserved. */
const fileStoreMax = "16TB";
const host = "127.0.0.1";

interface Ports {
  readonly client: number;
  readonly cluster: number;
  readonly monitor: number;
}

interface StreamDetail {
  readonly name: string;
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean }[] };
}

/** Servers named `n0`, `n1`, … */
export class NatsCluster implements AsyncDisposable {
  readonly #dir: string;
  readonly #ports: readonly Ports[];
  readonly #running = new Map<number, ChildProcess>();
  readonly #host: string;

  private constructor(dir: string, ports: readonly Ports[], address: string) {
    this.#dir = dir;
    this.#ports = ports;
    this.#host = address;
  }

  /** Starts `size` servers with empty stores, listening at `address`, and waits until JetStream is ready. */
  static async start(size = 3, address = host): Promise<NatsCluster> {
    const dir = await mkdtemp(join(tmpdir(), "sluice-nats-"));
    const free = await freePorts(size * 3);
    const ports = Array.from({ length: size }, (_, index) => {
      const [client, cluster, monitor] = free.slice(index * 3, index * 3 + 3) as [number, number, number];
      return { client, cluster, monitor };
    });
    const cluster = new NatsCluster(dir, ports, address);
    for (const index of ports.keys()) await cluster.startServer(index);
    await cluster.ready();
    return cluster;
  }

  /** Where clients connect. */
  get urls(): string[] {
    return this.#ports.map(({ client }) => `nats://${this.#host}:${client}`);
  }

  /** Starts a server, again with what it stored where it was killed. */
  async startServer(index: number): Promise<void> {
    const { client, cluster, monitor } = this.#ports[index] as Ports;
    const routes = this.#ports.map((ports) => `nats://${host}:${ports.cluster}`).join(", ");
    const clustering = `cluster { name: test, listen: "${host}:${cluster}", routes: [${routes}] }`;
    const config = join(this.#dir, `n${index}.conf`);
    await writeFile(
      config,
      `server_name: n${index}
listen: "${this.#host}:${client}"
http: "${host}:${monitor}"
jetstream { store_dir: "${join(this.#dir, `n${index}`)}", max_file_store: ${fileStoreMax} }
${this.#ports.length > 1 ? clustering : ""}
`,
    );
    const child = spawn("nats-server", ["-c", config], { stdio: "ignore" });
    const killWithUs = (): void => void child.kill("SIGKILL");
    process.once("exit", killWithUs);
    child.once("close", () => process.off("exit", killWithUs));
    this.#running.set(index, child);
  }

  /** Ends a server as a crash would. */
  async kill(index: number): Promise<void> {
    const child = this.#running.get(index);
    if (child === undefined) return;
    this.#running.delete(index);
    const gone = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Waits until every running server takes part. */
  async ready(): Promise<void> {
    for (const index of this.#running.keys()) {
      await eventually(`nats-server n${index} to be ready`, () => this.#isReady(index), readyMs);
    }
  }

  /** Index of the server that leads a stream; undefined while none does. */
  async leaderOf(stream: string): Promise<number | undefined> {
    const leader = (await this.#detail(stream))?.cluster?.leader;
    return leader === undefined ? undefined : Number(leader.slice(1));
  }

  /** Whether every server has everything of a stream. */
  async isCurrent(stream: string): Promise<boolean> {
    const cluster = (await this.#detail(stream))?.cluster;
    const replicas = cluster?.replicas ?? [];
    return replicas.length === this.#ports.length - 1 && replicas.every(({ current }) => current);
  }

  async #detail(stream: string): Promise<StreamDetail | undefined> {
    for (const index of this.#running.keys()) {
      const details = await this.#streams(index);
      const detail = details.find(({ name, cluster }) => name === stream && cluster?.leader === `n${index}`);
      if (detail !== undefined) return detail;
    }
    return undefined;
  }

  async #streams(index: number): Promise<readonly StreamDetail[]> {
    const answer = await this.#monitor(index, "/jsz?streams=true&config=true");
    const { account_details: accounts } = (answer ?? {}) as {
      readonly account_details?: readonly { readonly stream_detail?: readonly StreamDetail[] }[];
    };
    return (accounts ?? []).flatMap(({ stream_detail: details }) => details ?? []);
  }

  async #isReady(index: number): Promise<true | undefined> {
    const health = (await this.#monitor(index, "/healthz")) as { readonly status?: string } | undefined;
    if (health?.status !== "ok") return undefined;
    if (this.#ports.length === 1) return true;
    const { meta_cluster: meta } = (await this.#monitor(index, "/jsz")) as {
      readonly meta_cluster?: { readonly leader?: string; readonly cluster_size?: number };
    };
    return meta?.leader !== undefined && meta.leader !== "" && meta.cluster_size === this.#ports.length
      ? true
      : undefined;
  }

  async #monitor(index: number, path: string): Promise<unknown> {
    try {
      const answer = await fetch(`http://${host}:${(this.#ports[index] as Ports).monitor}${path}`);
      return await answer.json();
    } catch {
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.keys()].map((index) => this.kill(index)));
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function isInstalled(): boolean {
  try {
    execFileSync("nats-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
