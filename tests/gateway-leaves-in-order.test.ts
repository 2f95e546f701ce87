// How a gateway ends, is told of changes, and changes its certificate, without those who are connected noticing.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import {
  eventually,
  frameBytes,
  mint,
  RawClient,
  RawSocket,
  request,
  sluiceProgram,
  startEchoBackend,
  startGateway,
  startServer,
  testSecret,
  within,
} from "@sluice/testkit";
import { describe, expect, it } from "vitest";

const token = mint({ sub: "alice" });

describe("a drain", () => {
  it("closes tunnels with 1012, one after the other over its time, and lets nobody new in", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url], { gateway: { drain_ms: 1_000 } });
    const clients: RawClient[] = [];
    for (let n = 0; n < 20; n += 1) clients.push(await RawClient.connect(gateway.url, { token }));
    const drained = gateway.drain();
    expect((await request(gateway.url, "/readyz")).status).toBe(503);
    expect((await RawClient.refused(gateway.url, { token })).status).toBe(503);
    const closed = await Promise.all(clients.map((client) => client.closed));
    expect(new Set(closed.map(({ code, reason }) => `${code} ${reason}`))).toEqual(new Set(["1012 Service restart"]));
    const times = closed.map(({ atMs }) => atMs);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300);
    await within("the end of the drain", drained, 3_000);
  });

  it("of the service passes through: its own goodbye, its own close", async () => {
    await using server = await startServer({ server: { drain_ms: 200 } });
    await using gateway = await startGateway([server.url]);
    await using client = await RawClient.connect(gateway.url, { token });
    await client.take();
    const drained = server.drain();
    expect(await client.next("disconnect")).toMatchObject({ reason: "server_shutdown" });
    expect(await client.closed).toMatchObject({ code: 1012, reason: "Service restart" });
    await drained;
  });

  it("cuts off a client that answers no close", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url], { gateway: { drain_ms: 300 } });
    await using raw = await RawSocket.upgraded(gateway.url, { token });
    raw.socket.pause();
    await within("the end of the drain", gateway.drain(), 3_000);
    const empty = () => (echo.clients.size === 0 ? true : undefined);
    expect(await eventually("the backend to be rid of it", empty)).toBe(true);
  });
});

describe("sluice gateway", () => {
  it("reads its upstreams again when the file changes and on SIGHUP, and ends in order on SIGTERM", async () => {
    await using first = await startEchoBackend();
    await using second = await startEchoBackend();
    const dir = await mkdtemp(join(tmpdir(), "sluice-gateway-"));
    const file = join(dir, "gateway.yaml");
    const write = (url: string) =>
      writeFile(file, `gateway: { port: 0, upstreams: ["${url}"], drain_ms: 100, health: { interval_ms: 50 } }\n`);
    await write(first.url);
    const child = spawn(process.execPath, [sluiceProgram, "gateway", "--config", file], {
      env: { PATH: process.env["PATH"] ?? "", SLUICE_AUTH__HS256_SECRET: testSecret },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
    const exited = new Promise((resolve) => child.once("close", resolve));
    try {
      const url = await eventually("the gateway to listen", () => /"url":"(http[^"]+)"/.exec(out)?.[1], 20_000);
      await using old = await RawSocket.upgraded(url, { token });
      await write(second.url);
      child.kill("SIGHUP");
      await eventually("the settings to be read", () =>
        out.includes("the settings were read again") ? true : undefined,
      );
      await using fresh = await RawSocket.upgraded(url, { token });
      expect([first.clients.size, second.clients.size]).toEqual([1, 1]);
      await writeFile(file, "gateway: { upstreams: [nonsense] }\n");
      await eventually("the mistake to be told", () =>
        out.includes("the settings stay as they were") ? true : undefined,
      );
      old.send(frameBytes({ payload: "still here" }));
      expect((await old.frame()).payload.toString()).toBe("still here");
      child.kill("SIGTERM");
      expect(await fresh.closeFrame()).toEqual({ code: 1012, reason: "Service restart" });
      expect(await within("the end of the process", exited)).toBe(0);
      expect(out).not.toContain(token);
    } finally {
      child.kill("SIGKILL");
      await rm(dir, { recursive: true });
    }
  });

  it("says what is missing in its configuration", async () => {
    const child = spawn(process.execPath, [sluiceProgram, "gateway"], { env: { PATH: process.env["PATH"] ?? "" } });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (err += chunk));
    expect(await within("the end", new Promise((resolve) => child.once("close", resolve)), 20_000)).toBe(78);
    expect(err).toContain("gateway.upstreams is empty");
    expect(err).toContain("nobody in");
  });
});

describe("TLS", () => {
  const makePair = (dir: string, name: string): void => {
    const files = ["-keyout", join(dir, `${name}.key`), "-out", join(dir, `${name}.crt`)];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    execFileSync("openssl", ["req", "-x509", ...curve, "-nodes", "-days", "2", "-subj", `/CN=${name}`, ...files], {
      stdio: "ignore",
    });
  };

  it("is terminated from PEM files, which may be replaced while tunnels live", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    makePair(dir, "one");
    makePair(dir, "two");
    await using server = await startServer();
    await using gateway = await startGateway([server.url], {
      gateway: { tls: { cert_file: join(dir, "one.crt"), key_file: join(dir, "one.key") } },
    });
    expect(gateway.url).toMatch(/^https:/);
    const { hostname, port } = new URL(gateway.url);
    const nameShown = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
          const { subject } = socket.getPeerCertificate();
          socket.destroy();
          resolve(String(subject.CN));
        }).on("error", reject);
      });
    await using client = await RawClient.connect(gateway.url, { token, options: { rejectUnauthorized: false } });
    expect(await client.take()).toMatchObject({ type: "connected" });
    expect(await nameShown()).toBe("one");
    await rename(join(dir, "two.key"), join(dir, "one.key"));
    await rename(join(dir, "two.crt"), join(dir, "one.crt"));
    await eventually("the new certificate", async () => ((await nameShown()) === "two" ? true : undefined));
    expect(await client.subscribe(["*"])).toMatchObject({ type: "subscribed" });
    await rm(dir, { recursive: true });
  });

  it("files that are no pair are a mistake of the configuration", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    makePair(dir, "one");
    const tls = { cert_file: join(dir, "one.crt"), key_file: join(dir, "one.crt") };
    await expect(startGateway(["http://127.0.0.1:1"], { gateway: { tls } })).rejects.toThrow("gateway.tls.cert_file");
    await rm(dir, { recursive: true });
  });
});
