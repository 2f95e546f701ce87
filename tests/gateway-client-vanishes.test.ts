// A client whose packets no longer arrive, and that never says goodbye: both sides of its tunnel are gone within the
// deadline. The client is in a network namespace of its own, which takes root and Linux; elsewhere this is skipped.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  adminToken,
  connectionsOf,
  eventually,
  mint,
  numberedEvents,
  publish,
  request,
  startEchoBackend,
  startGateway,
  startServer,
  within,
} from "@sluice/testkit";
import { expect, it } from "vitest";

/** A host of its own behind a cable: a network namespace and a pair of virtual Ethernet ends. */
class OtherHost implements Disposable {
  /** The near end: what the gateway listens on. */
  readonly nearAddress: string;
  readonly #farAddress: string;
  readonly #name = `sluice-${process.pid}`;
  readonly #near = `sl${process.pid}a`;
  readonly #far = `sl${process.pid}b`;

  constructor() {
    const third = process.pid % 250;
    this.nearAddress = `10.213.${third}.1`;
    this.#farAddress = `10.213.${third}.2`;
    ip("netns", "add", this.#name);
    try {
      ip("link", "add", this.#near, "type", "veth", "peer", "name", this.#far, "netns", this.#name);
      ip("addr", "add", `${this.nearAddress}/30`, "dev", this.#near);
      ip("link", "set", this.#near, "up");
      ip("-n", this.#name, "addr", "add", `${this.#farAddress}/30`, "dev", this.#far);
      ip("-n", this.#name, "link", "set", this.#far, "up");
      ip("netns", "exec", this.#name, "true");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  run(script: string, env: Readonly<Record<string, string>>): ChildProcess {
    const command = ["netns", "exec", this.#name, process.execPath, "--input-type=module", "-e", script];
    return spawn("ip", command, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  }

  /** From now on packets are dropped in both directions: what it sends has no way, what it gets comes from nowhere. */
  vanish(): void {
    ip("-n", this.#name, "route", "add", "blackhole", `${this.nearAddress}/32`);
  }

  [Symbol.dispose](): void {
    ip("netns", "del", this.#name);
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function otherHost(): OtherHost | undefined {
  try {
    return new OtherHost();
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    process.stdout.write(`SKIPPED: no network namespace can be made here: ${reason}\n`);
    return undefined;
  }
}

/** Connects to each of the URLs, subscribes, answers pings, and says when all are open. */
const client = `
import { WebSocket } from "ws";
const urls = process.env.URLS.split(",");
let open = 0;
for (const url of urls) {
  const socket = new WebSocket(url, { headers: { authorization: "Bearer " + process.env.TOKEN } });
  socket.on("open", () => {
    socket.send(JSON.stringify({ type: "subscribe", events: ["*"] }));
    if (++open === urls.length) console.log("open");
  });
  socket.on("message", (text) => {
    if (String(text).startsWith('{"type":"ping"')) socket.send('{"type":"pong"}');
  });
  socket.on("error", () => {});
}
setInterval(() => {}, 1000);
`;

const heartbeat = { interval_ms: 1_000, timeout_ms: 500, max_missed: 2 };
/** What the heartbeat, or TCP's own questions (1 s of silence and ten of them), need, several times over. */
const goneWithinMs = 40_000;

it("is gone on both sides: by the service's heartbeat in mid-stream, and by TCP where there is none", async (context) => {
  using host = otherHost();
  if (host === undefined) return context.skip("no network namespace can be made here");
  const token = mint({ sub: "far away" });
  await using server = await startServer({ heartbeat });
  await using echo = await startEchoBackend();
  const gateway = { host: host.nearAddress, tunnel: { keepalive_ms: 1_000, close_ms: 500 } };
  await using beforeService = await startGateway([server.url], { gateway });
  await using beforeEcho = await startGateway([echo.url], { gateway });
  const urls = [beforeService.url, beforeEcho.url].map((url) => `${url.replace("http", "ws")}/ws`);
  const child = host.run(client, { URLS: urls.join(","), TOKEN: token });
  try {
    await within("the client to connect", new Promise((resolve) => child.stdout?.once("data", resolve)), 20_000);
    const tunnelsOf = async (url: string): Promise<number> => {
      const { json } = await request(url, "/api/v1/tunnels", { token: adminToken() });
      return (json as { tunnels: unknown[] }).tunnels.length;
    };
    const backendsSee = async (): Promise<number[]> => [(await connectionsOf(server.url)).length, echo.clients.size];
    expect([await tunnelsOf(beforeService.url), await tunnelsOf(beforeEcho.url)]).toEqual([1, 1]);
    // Longer than its heartbeat allows to be silent: it is alive.
    await eventually(
      "a pong from it",
      async () => (await connectionsOf(server.url))[0]?.["last_pong_received"] ?? undefined,
    );
    expect(await backendsSee()).toEqual([1, 1]);

    host.vanish();
    // What is on its way is never acknowledged.
    await publish(server.url, numberedEvents(100));
    const gone = async (): Promise<true | undefined> => {
      const [service, echoed] = await backendsSee();
      const tunnels = (await tunnelsOf(beforeService.url)) + (await tunnelsOf(beforeEcho.url));
      return service === 0 && echoed === 0 && tunnels === 0 ? true : undefined;
    };
    expect(await eventually("both sides of both tunnels to be gone", gone, goneWithinMs)).toBe(true);
  } finally {
    child.kill("SIGKILL");
  }
}, 90_000);
