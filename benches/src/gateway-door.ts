// One of the doors that are compared: ours, two of Node's, nginx; nothing is loaded of the others. Run by `child.ts`'s
// `PinnedChild`; never by hand.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DoorOptions, type DoorReport, nginxProgram } from "./door-kind.js";
import { cpuMs } from "./process-cpu.js";

const secret = "a secret of the bench, 32 bytes or more";
const pageBytes = 4096;
const options = JSON.parse(process.argv[2] ?? "{}") as DoorOptions;
const target = `http://127.0.0.1:${options.backendPort}`;

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function sluice(): Promise<{ port: number; headers: Record<string, string>; pid: number }> {
  const { createLogger, keepHeapCompact, mintToken, settingsWith, settleHeap } = await import("@sluice/runtime");
  // As `sluice gateway` does, and in the same order.
  keepHeapCompact();
  const { createGateway } = await import("@sluice/gateway");
  const settings = settingsWith({ gateway: { port: 0, upstreams: [target] }, auth: { hs256_secret: secret } });
  const { url } = await createGateway({ settings, logger: createLogger({ level: "error", service: "bench" }) });
  settleHeap();
  const token = await mintToken(secret, { sub: "bench", ttlMs: 3_600_000 });
  return { port: Number(new URL(url).port), headers: { Authorization: `Bearer ${token}` }, pid: process.pid };
}

async function httpProxy3(): Promise<{ port: number; headers: Record<string, string>; pid: number }> {
  const { createProxyServer } = await import("http-proxy-3");
  const proxy = createProxyServer({ target, ws: true });
  proxy.on("error", () => {});
  const server = createServer((request, response) => proxy.web(request, response));
  server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, headers: {}, pid: process.pid };
}

async function fastifyProxy(): Promise<{ port: number; headers: Record<string, string>; pid: number }> {
  const [{ default: fastify }, { default: fastifyHttpProxy }] = await Promise.all([
    import("fastify"),
    import("@fastify/http-proxy"),
  ]);
  const app = fastify();
  await app.register(fastifyHttpProxy, { upstream: target, websocket: true });
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { port: (app.server.address() as AddressInfo).port, headers: {}, pid: process.pid };
}

async function nginx(): Promise<{ port: number; headers: Record<string, string>; pid: number }> {
  const dir = mkdtempSync(join(tmpdir(), "sluice-bench-nginx-"));
  const port = await freePort();
  const upgrade = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${dir}/${name};`)
    .join(" ");
  const http = `access_log off; ${paths} server { listen 127.0.0.1:${port}; location / { proxy_pass ${target}; proxy_http_version 1.1; ${upgrade} } }`;
  const text = `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log; events { worker_connections 20000; } http { ${http} }`;
  writeFileSync(join(dir, "nginx.conf"), text);
  const child = spawn(
    "taskset",
    ["-c", String(options.core), nginxProgram, "-c", join(dir, "nginx.conf"), "-e", join(dir, "error.log")],
    { stdio: "inherit" },
  );
  process.on("exit", () => child.kill("SIGKILL"));
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
    if (answer?.ok === true) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { port, headers: {}, pid: child.pid ?? 0 };
}

const doors = { sluice, "http-proxy-3": httpProxy3, fastify: fastifyProxy, nginx };
const door = await doors[options.kind]();

function report(): void {
  const rssBytes = Number(readFileSync(`/proc/${door.pid}/statm`, "latin1").split(" ")[1]) * pageBytes;
  const message: DoorReport = { port: door.port, headers: door.headers, rssBytes, cpuMs: cpuMs(door.pid) };
  process.send?.(message);
}
process.on("message", report);
process.on("disconnect", () => process.exit(0));
report();
