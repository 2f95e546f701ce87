// How a gateway ends, is told of changes, and changes its certificate, without those who are connected noticing.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import {
  acceptingHead,
  eventually,
  frameBytes,
  mint,
  opcodes,
  RawClient,
  RawSocket,
  request,
  sluiceProgram,
  startEchoBackend,
  startGateway,
  startRawBackend,
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

  it("tells clients that agreed on sluice.v1 when to come back, each at a time of its own, before the close", async () => {
    const protocol = { "Sec-WebSocket-Protocol": "sluice.v1" };
    await using backend = await startRawBackend((socket, head) => {
      const isOurs = head.includes("sluice.v1");
      socket.write(acceptingHead(head, isOurs ? ["Sec-WebSocket-Protocol: sluice.v1"] : []));
    });
    await using gateway = await startGateway([backend.url], { gateway: { drain_ms: 400 } });
    await using other = await RawSocket.upgraded(gateway.url, { token });
    const clients: RawSocket[] = [];
    for (let n = 0; n < 4; n += 1) {
      clients.push(await RawSocket.upgraded(gateway.url, { token, headers: protocol }));
    }
    const drained = gateway.drain();
    const waits: number[] = [];
    for (const client of clients) {
      const { opcode, payload } = await client.frame();
      expect(opcode).toBe(opcodes.text);
      const frame = JSON.parse(payload.toString()) as { reconnect_after_ms: number };
      expect(frame).toMatchObject({ type: "disconnect", reason: "server_shutdown" });
      waits.push(frame.reconnect_after_ms);
      expect(await client.closeFrame()).toEqual({ code: 1012, reason: "Service restart" });
    }
    expect(new Set(waits).size).toBe(waits.length);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(250);
    // Somebody else's protocol: a frame of ours would be a lie in it.
    expect((await other.frame()).opcode).toBe(opcodes.close);
    await drained;
  });

  it.each([
    ["within a fragmented message: the close alone, which may stand there", false, [opcodes.text, opcodes.close]],
    ["behind its last fragment", true, [opcodes.text, opcodes.continuation, opcodes.text, opcodes.close]],
  ])("puts no message %s", async (_where, isWhole, expected) => {
    await using backend = await startRawBackend((socket, head) => {
      socket.write(acceptingHead(head));
      socket.write(frameBytes({ payload: "begun ", fin: false, masked: false }));
      if (isWhole) socket.write(frameBytes({ payload: "done", opcode: opcodes.continuation, masked: false }));
    });
    const settings = { drain_ms: 200, tunnel: { disconnect_frame: "always" } } as const;
    await using gateway = await startGateway([backend.url], { gateway: settings });
    await using client = await RawSocket.upgraded(gateway.url, { token });
    const seen = [await client.frame()];
    if (isWhole) seen.push(await client.frame());
    const drained = gateway.drain();
    while (seen.length < expected.length) seen.push(await client.frame());
    expect(seen.map(({ opcode }) => opcode)).toEqual(expected);
    await drained;
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

describe("a reload", () => {
  it("changes origins, hosts, limits and bounds for who comes next, and names what waits", async () => {
    await using echo = await startEchoBackend();
    await using gateway = await startGateway([echo.url]);
    const { settings } = gateway;
    await using living = await RawSocket.upgraded(gateway.url, { token });
    const { limits, tunnel } = settings.gateway;
    gateway.reload({
      ...settings,
      gateway: {
        ...settings.gateway,
        port: 1,
        allowed_origins: ["https://mine.example"],
        limits: { ...limits, connections_per_user: 2 },
        tunnel: { ...tunnel, frame_bytes: 125 },
      },
    });
    const refused = await RawClient.refused(gateway.url, { token, headers: { origin: "https://other.example" } });
    expect(refused.status).toBe(403);
    const cors = await request(gateway.url, "/api/v1/events", { token, headers: { origin: "https://mine.example" } });
    expect(cors.headers.get("access-control-allow-origin")).toBe("https://mine.example");
    await using second = await RawSocket.upgraded(gateway.url, { token });
    await using third = await RawSocket.upgraded(gateway.url, { token });
    expect(await third.closeFrame()).toEqual({ code: 1013, reason: "Try again later" });
    const large = frameBytes({ payload: "x".repeat(126) });
    second.send(large);
    expect(await second.closeFrame()).toMatchObject({ code: 1009 });
    living.send(large);
    expect((await living.frame()).payload.length).toBe(126);
    expect(gateway.logged).toContainEqual(
      expect.objectContaining({
        msg: "the settings were read again",
        applied: ["gateway.allowed_origins", "gateway.tunnel.frame_bytes", "gateway.limits.connections_per_user"],
      }),
    );
    expect(gateway.logged).toContainEqual(
      expect.objectContaining({ msg: "these changes wait for a restart", settings: ["gateway.port"] }),
    );
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

  it("is waited for as long as a handshake, and who is late, or speaks none, is gone", async () => {
    const dir = await mkdtemp(join(tmpdir(), "sluice-tls-"));
    makePair(dir, "one");
    const tls = { cert_file: join(dir, "one.crt"), key_file: join(dir, "one.key") };
    const gateway = await startGateway(["http://127.0.0.1:1"], { gateway: { tls, limits: { handshake_ms: 200 } } });
    const beginOfHello = Buffer.from([22, 3, 1, 2]);
    const sent = ["", beginOfHello, "GET / HTTP/1.1\r\n\r\n", Buffer.alloc(1_000, 255)];
    const raws = await Promise.all(sent.map(() => RawSocket.connect(gateway.url)));
    for (const [n, raw] of raws.entries()) raw.send(sent[n] ?? "");
    await within("all of them to be gone", Promise.all(raws.map((raw) => raw.closed)), 10_000);
    await within("the end of the drain", gateway.drain(), 10_000);
    await gateway.close();
    expect(raws.every((raw) => raw.socket.destroyed)).toBe(true);
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
