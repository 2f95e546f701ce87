// The command line as people and scripts use it: processes, pipes and signals.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  connectionsOf,
  eventually,
  mint,
  numberedEvents,
  numberOf,
  publish,
  publisherToken,
  request,
  type Service,
  sluiceProgram,
  spawnService,
  toNdjson,
  within,
} from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const longMs = 40_000;

interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: "pipe" | "ignore";
  /** Whether stdout is left unread at first. */
  readonly unread?: boolean;
}

/** A running `sluice`, with all that it wrote. */
class Cli implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  out = "";
  err = "";
  #changed: () => void = () => undefined;

  constructor(args: readonly string[], { env = {}, cwd, stdin = "ignore", unread = false }: CliOptions = {}) {
    const { PATH = "" } = process.env;
    this.child = spawn(process.execPath, [sluiceProgram, ...args], {
      env: { PATH, ...env },
      cwd,
      stdio: [stdin, "pipe", "pipe"],
    });
    this.exited = new Promise((resolve) => this.child.once("close", resolve));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take("err", text));
    if (!unread) this.read();
  }

  /** Reads stdout from now on. */
  read(): void {
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take("out", text));
  }

  /** Resolves when `stream` holds `text`. */
  async says(stream: "out" | "err", text: string): Promise<void> {
    const heard = (async () => {
      while (!this[stream].includes(text)) await new Promise<void>((resolve) => (this.#changed = resolve));
    })();
    await within(`sluice to say ${JSON.stringify(text)}`, heard, longMs, () => this.out.slice(-2_000) + this.err);
  }

  /** The exit code. */
  async end(ms = longMs): Promise<number | null> {
    return within("sluice to end", this.exited, ms, () => this.out.slice(-2_000) + this.err);
  }

  /** The numbers of the events on stdout, one JSON object a line. */
  numbers(): number[] {
    const lines = this.out.trimEnd().split("\n").filter(Boolean);
    return lines.map((line) => numberOf(JSON.parse(line) as { payload: unknown }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  #take(stream: "out" | "err", text: string): void {
    this[stream] += text;
    this.#changed();
  }
}

/** Hands a body on to a service, as it came. */
function publishText(service: Service, body: string, type = "application/json"): ReturnType<typeof request> {
  const headers = { "content-type": type };
  return request(service.url, "/api/v1/events", { method: "POST", token: publisherToken(), headers, body });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const as = (service: Service, token: string) => ({ env: { SLUICE_URL: service.url, SLUICE_TOKEN: token } });
const portOf = (service: Service): number => Number(new URL(service.url).port);

describe("sluice", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("publishes 2,000 events from a file, and tail has them all, in order", async () => {
    await using service = await spawnService();
    await using tail = new Cli(["tail", "--json", "--limit", "2000"], as(service, mint()));
    await tail.says("err", "live from seq 1");
    const file = join(folder, "events.ndjson");
    await writeFile(file, toNdjson(numberedEvents(2_000)));
    await using publishing = new Cli(["publish", "--file", file], as(service, publisherToken()));
    expect(await publishing.end()).toBe(0);
    expect(publishing.out).toMatch(/^published 2,000 events in .*\/s\), seq 1–2000\n$/);
    expect(await tail.end()).toBe(0);
    expect(tail.numbers()).toEqual(upTo(2_000));
  });

  it("a tail and a publish outlive kill -9 of the service: nothing missed, nothing twice", async () => {
    const logDir = join(folder, "killed");
    const first = await spawnService({ logDir });
    await using tail = new Cli(["tail", "--json", "--limit", "3000"], as(first, mint()));
    await tail.says("err", "live from seq 1");
    await using publishing = new Cli(["publish", "-"], { ...as(first, publisherToken()), stdin: "pipe" });
    const events = numberedEvents(3_000);
    publishing.child.stdin?.write(toNdjson(events.slice(0, 1_000)));
    await tail.says("out", '"n":999}');

    first.kill("SIGKILL");
    await within("the service to be gone", first.exited);
    publishing.child.stdin?.write(toNdjson(events.slice(1_000, 2_000)));
    await publishing.says("err", "next attempt in");
    await tail.says("err", "next attempt in");

    await using second = await spawnService({ logDir, settings: { "server.port": portOf(first) } });
    await tail.says("out", '"n":1999}');
    publishing.child.stdin?.end(toNdjson(events.slice(2_000)));
    expect(await publishing.end()).toBe(0);
    // A request whose answer was lost with the service is sent again, and found to be there.
    expect(publishing.out).toMatch(/^published 3,000 events in .*, seq 1–3000(?:; .* had been there already)?\n$/);
    expect(await tail.end()).toBe(0);
    expect(tail.numbers()).toEqual(upTo(3_000));
    expect(second.stderr).toBe("");
  });

  it("an answer that was lost costs nothing: the same events are sent again, and stored once", async () => {
    await using service = await spawnService();
    let requests = 0;
    const lossy = createServer((incoming, outgoing) => {
      requests += 1;
      const isLost = requests % 2 === 1;
      void text(incoming)
        .then((body) => publishText(service, body, incoming.headers["content-type"]))
        .then(({ status, text: answer }) =>
          isLost ? incoming.socket.destroy() : outgoing.writeHead(status).end(answer),
        );
    });
    lossy.listen(0, "127.0.0.1");
    await once(lossy, "listening");
    const url = `http://127.0.0.1:${(lossy.address() as AddressInfo).port}`;
    const file = join(folder, "lossy.ndjson");
    await writeFile(file, toNdjson(numberedEvents(2_500)));
    await using publishing = new Cli(["publish", file], { env: { SLUICE_URL: url, SLUICE_TOKEN: publisherToken() } });
    expect(await publishing.end()).toBe(0);
    lossy.close();
    expect(publishing.err).toContain("the connection was closed before the answer; next attempt in");
    expect(publishing.out).toMatch(
      /^published 2,500 events in .*, seq 1–2500; 2,500 of them had been there already\n$/,
    );
    await using tail = new Cli(["tail", "--json", "--since", "0", "--limit", "2500"], as(service, mint()));
    expect(await tail.end()).toBe(0);
    expect(tail.numbers()).toEqual(upTo(2_500));
  });

  it("a tail comes back after a drain when it was asked to", async () => {
    const logDir = join(folder, "drained");
    const first = await spawnService({ logDir, settings: { "server.drain_ms": 500 } });
    await using tail = new Cli(["tail", "--json", "--limit", "20"], as(first, mint()));
    await tail.says("err", "live from seq 1");
    await publish(first.url, numberedEvents(10));
    await tail.says("out", '"n":9}');
    first.kill("SIGTERM");
    await tail.says("err", "the service is shutting down and asks to come back in");
    await within("the drain", first.exited);
    await using second = await spawnService({ logDir, settings: { "server.port": portOf(first) } });
    await publish(second.url, numberedEvents(10, 10));
    expect(await tail.end()).toBe(0);
    expect(tail.numbers()).toEqual(upTo(20));
  });

  it("a reader that stops for a while loses nothing with --policy replay", async () => {
    await using service = await spawnService({
      settings: { "heartbeat.interval_ms": 500, "heartbeat.timeout_ms": 250 },
    });
    const args = ["tail", "--json", "--policy", "replay", "--limit", "6000"];
    await using tail = new Cli(args, { ...as(service, mint()), unread: true });
    await tail.says("err", "live from seq 1");
    const filler = "x".repeat(3_000);
    for (let first = 0; first < 6_000; first += 1_000) {
      const events = numberedEvents(1_000, first);
      await publish(
        service.url,
        events.map((event) => ({ ...event, payload: { ...(event.payload as object), filler } })),
      );
    }
    const pausedAt = Date.now();
    const connection = await eventually(
      "the service to hear of the reader for 3 s while it reads nothing",
      async () => {
        const [only] = await connectionsOf(service.url);
        const isLate = Date.parse(String(only?.["last_pong_received"])) > pausedAt + 3_000;
        return isLate ? only : undefined;
      },
    );
    expect(connection).toMatchObject({ paused: true, policy: "replay" });
    tail.read();
    await tail.says("err", "this reader has fallen behind");
    expect(await tail.end()).toBe(0);
    expect(tail.numbers()).toEqual(upTo(6_000));
    expect(tail.err).not.toContain("next attempt in");
    expect(tail.err).not.toContain("gap");
  });

  it("ends without a word when its reader goes away", async () => {
    await using service = await spawnService();
    await publish(service.url, numberedEvents(5_000));
    const { PATH = "" } = process.env;
    const command = `"${process.execPath}" "${sluiceProgram}" tail --quiet --json --since 0 | head -2`;
    const shell = spawn("sh", ["-c", command], {
      env: { PATH, ...as(service, mint()).env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { out: "", err: "" };
    shell.stdout.on("data", (chunk) => (texts.out += String(chunk)));
    shell.stderr.on("data", (chunk) => (texts.err += String(chunk)));
    const code = await within("the pipe to end", new Promise((resolve) => shell.once("close", resolve)), longMs);
    expect([code, texts.err, texts.out.split("\n").length]).toEqual([0, "", 3]);
  });

  it("publishes what stands before a bad line, names it, and goes on from there", async () => {
    await using service = await spawnService();
    const file = join(folder, "bad.ndjson");
    const [head, tail] = [toNdjson(numberedEvents(1_500)), toNdjson(numberedEvents(500, 1_501))];
    await writeFile(file, `${head}{"event_type":"GPU UPDATE","payload":1}\n${tail}`);
    await using broken = new Cli(["publish", file], as(service, publisherToken()));
    expect([await broken.end(), broken.out]).toEqual([65, ""]);
    expect(broken.err).toContain("bad.ndjson, line 1501: event_type must be");
    expect(broken.err).toContain("Published 1,500 events");

    await writeFile(file, `${head}${toNdjson(numberedEvents(1, 1_500))}${tail}`);
    await using mended = new Cli(["publish", file, "--from-line", "1501"], as(service, publisherToken()));
    expect(await mended.end()).toBe(0);
    await using all = new Cli(["tail", "--json", "--since", "0", "--limit", "2001"], as(service, mint()));
    expect(await all.end()).toBe(0);
    expect(all.numbers()).toEqual(upTo(2_001));
  });

  it("says what the matter is, with an exit code of its own", async () => {
    await using service = await spawnService();
    const cases: readonly (readonly [readonly string[], string, number, string])[] = [
      [["tail"], mint({ ttlMs: -60_000 }), 77, "expired"],
      [["tail", "--events", "B"], mint({ events: ["A"] }), 77, "does not allow B"],
      [["publish", "--event", "A", "--payload", "1"], mint(), 77, "events:publish"],
      [["tail", "--url", `${service.url}/elsewhere`], mint(), 1, "there is no Sluice at this address"],
      [["tail", "--retry-for", "0s", "--url", "http://127.0.0.1:9"], mint(), 69, "connection refused"],
      [
        ["publish", "--retry-for", "0s", "--url", "http://127.0.0.1:9", "--event", "A", "--payload", "1"],
        mint(),
        69,
        "connection refused",
      ],
      [
        ["serve", "--server.port", String(portOf(service)), "--auth.dev", "--log.engine=memory"],
        "",
        75,
        "is taken by another program",
      ],
      [["serve", "--auth.dev", "--server.port=0", `--log.dir=${service.logDir}`], "", 75, "in use by process"],
    ];
    for (const [args, token, code, words] of cases) {
      await using cli = new Cli(args, as(service, token));
      expect([args, await cli.end()]).toEqual([args, code]);
      expect(cli.err).toContain(words);
      expect(cli.err).not.toMatch(/\n\s+at /);
      if (token !== "") expect(cli.err).not.toContain(token);
    }
  });

  it("start: a service, a token and a command to paste", async () => {
    await using start = new Cli(["start", "--server.port=0", "--demo.interval_ms=100"], { cwd: folder });
    await start.says("out", "Ctrl-C ends it.");
    const command = /^npx sluice (tail .*)$/m.exec(start.out)?.[1] ?? "";
    await using tail = new Cli([...command.split(" "), "--json", "--limit", "5"], { cwd: folder });
    expect(await tail.end()).toBe(0);
    const events = tail.out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event_type: string; subject: string });
    expect(events.map(({ subject }) => subject).sort()).toContain("cpu");
    expect(new Set(events.map(({ event_type }) => event_type))).toEqual(new Set(["METRIC_UPDATE"]));

    const token = / --token (\S+)/.exec(command)?.[1];
    const url = / --url (\S+)/.exec(command)?.[1] ?? "";
    const body = /^curl .* -d '(.*?)'/m.exec(start.out)?.[1] ?? "";
    const type = { "content-type": "application/json" };
    expect((await request(url, "/api/v1/events", { method: "POST", token, headers: type, body })).status).toBe(202);
    expect((await stat(join(folder, "data", "secret"))).mode & 0o777).toBe(0o600);

    start.child.kill("SIGINT");
    expect(await start.end()).toBe(0);
    expect(start.out.endsWith("Goodbye.\n")).toBe(true);
    expect(start.err).toBe("");
  });

  it("serve: says loudly that it runs without authentication", async () => {
    await using serve = new Cli(["serve", "--auth.dev", "--server.port=0", "--log.engine=memory"]);
    await serve.says("out", '"msg":"listening"');
    expect(serve.err).toContain("DEVELOPMENT MODE");
    expect(serve.out).toMatch(/"level":"warn".*auth\.dev/);
    serve.child.kill("SIGTERM");
    expect(await serve.end()).toBe(0);
  });
});
