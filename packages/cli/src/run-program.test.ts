import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CliError } from "./cli-error.js";
import { report, runProgram } from "./run-program.js";
import { recordedTerminal, type RecordedTerminalOptions } from "./testing/recorded-terminal.js";

async function run(line: string | readonly string[], options: RecordedTerminalOptions = {}) {
  const { terminal, out, err } = recordedTerminal(options);
  const code = await runProgram(typeof line === "string" ? line.split(" ") : line, terminal);
  return { code, out: out(), err: err() };
}

describe("help", () => {
  it.each([
    ["", ["start", "serve", "token", "publish", "tail", "config", "SLUICE_URL"]],
    ["start", ["--config <file>"]],
    ["serve", ["--config <file>", "--any.setting=value"]],
    [
      "token",
      [
        "--sub <user>",
        "--events",
        "--clusters",
        "--publish",
        "--admin",
        "--ttl",
        "--secret-file",
        "--issuer",
        "--audience",
      ],
    ],
    [
      "publish",
      ["--url", "--token", "--event", "--cluster", "--payload", "--id", "--file", "--retry-for", "--progress"],
    ],
    [
      "tail",
      ["--events", "--clusters", "--policy", "--max-messages", "--json", "--limit", "--since", "--epoch", "--url"],
    ],
    ["config", ["check", "print"]],
    ["log", ["copy"]],
    ["log copy", ["--from <log>", "--to <log>", "--config <file>", "--no-verify", "jetstream:"]],
    ["config check", ["[file]"]],
    ["config print", ["--effective"]],
  ])("of %j has its options and examples", async (command, words) => {
    const { code, out, err } = await run([...command.split(" ").filter(Boolean), "--help"]);
    expect([code, err]).toEqual([0, ""]);
    for (const word of [...words, "Examples:", "$ "]) expect(out).toContain(word);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(122);
  });

  it("is told on stderr when no command is given", async () => {
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain("Usage: sluice");
  });

  it("comes with the version", async () => {
    expect(await run("--version")).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
      err: "",
    });
  });
});

describe("wrong arguments", () => {
  it.each([
    ["nonsense", "unknown command 'nonsense'"],
    ["tial", "Did you mean tail?"],
    ["token", "required option '--sub <user>' not specified"],
    ["token --sub a --ttl 5x", "a number with a unit: 500ms, 30s, 15m, 1h or 7d"],
    ["token --sub a --ttl 0s", "from 1s to 3650d"],
    ["token --sub a --events A,,B", "--events"],
    ["token --sub a", "there is no shared secret"],
    ["tail --limit 0", "an integer from 1 to 2^53 - 1"],
    ["tail --since -1", "--since"],
    ["tail --since 1.5", "an integer from 0 to 2^53 - 1"],
    ["tail --policy slow", "drop-oldest, drop-newest, replay, disconnect"],
    ["tail --events A* --events *B", '"*B" must be a name'],
    ["tail --url ftp://x", "It must begin with http://"],
    ["tail --epoch e", "--epoch needs --since"],
    ["tail --evnets A", "Did you mean --events?"],
    ["tail extra", "too many arguments"],
    ["tail --token a --token-file b", "give one"],
    ["publish --event A", "--payload is missing"],
    ["publish --event A --payload {", "--payload is not JSON"],
    ["publish --event A* --payload 1", "--event"],
    ["publish --cluster c", "--cluster is for one event"],
    ["publish a.ndjson --file b.ndjson", "give one"],
    ["publish a.ndjson --event A --payload 1", "give one"],
    ["publish --retry-for 2d a", "at most 1d"],
    ["publish --from-line 0 a", "--from-line"],
    ["config chekc", "Did you mean check?"],
  ])("%s: %s", async (line, message) => {
    const { code, out, err } = await run(line, { stdinIsTTY: true });
    expect([code, out]).toEqual([64, ""]);
    expect(err).toContain(message);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it("asks for something to publish when nobody pipes anything in", async () => {
    const { code, err } = await run("publish", { stdinIsTTY: true });
    expect([code, err]).toEqual([64, expect.stringContaining("nothing to publish") as unknown]);
  });

  it("does not repeat a token of a mistyped option", async () => {
    const token = ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJhIn0", "c2lnbmF0dXJl"].join(".");
    const { err } = await run(`tail --tokn=${token}`);
    expect(err).toContain("unknown option");
    expect(err).not.toContain("eyJzdWIi");
  });

  it.each(["publish none.ndjson", "tail --token-file none", "publish --event A --payload @none"])(
    "%s: a file that does not exist is 66",
    async (line) => {
      const { code, err } = await run(line);
      expect([code, err]).toEqual([66, expect.stringContaining("does not exist") as unknown]);
    },
  );
});

describe("config", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-config-"));
    await writeFile(join(folder, "good.yaml"), `auth:\n  hs256_secret: ${"s".repeat(32)}\n`, { mode: 0o600 });
    await writeFile(join(folder, "bad.yaml"), "server:\n  prot: 1\nheartbeat:\n  interval_ms: soon\n");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("check: says when all is well", async () => {
    const file = join(folder, "good.yaml");
    expect(await run(["config", "check", file])).toEqual({ code: 0, out: "configuration is valid\n", err: "" });
    expect((await run(["config", "check", file, "--server.port=9000"])).code).toBe(0);
    expect((await run(["config", "check"], { env: { SLUICE_CONFIG: file } })).code).toBe(0);
  });

  it("check: warns of what deserves a look", async () => {
    const { code, err } = await run(["config", "check", `--auth.hs256_secret=${"s".repeat(32)}`]);
    expect([code, err]).toEqual([
      0,
      expect.stringContaining("warning: auth.hs256_secret is given as a flag") as unknown,
    ]);
    expect(err).not.toContain("ssss");
  });

  it("check: names every problem", async () => {
    const { code, out, err } = await run(["config", "check", join(folder, "bad.yaml"), "--log.engine=paper"]);
    expect([code, out]).toEqual([78, ""]);
    for (const word of [
      "4 problems",
      "server.prot",
      "bad.yaml:2",
      "heartbeat.interval_ms",
      "log.engine",
      "lets nobody in",
    ]) {
      expect(err).toContain(word);
    }
  });

  it("print: the defaults with comments, which check takes back", async () => {
    const { code, out } = await run("config print");
    expect(code).toBe(0);
    expect(out).toContain("# SLUICE_HEARTBEAT__INTERVAL_MS");
    const file = join(folder, "printed.yaml");
    await writeFile(file, out);
    expect((await run(["config", "check", file, "--auth.dev"])).code).toBe(0);
  });

  it("print: what is in force, secrets masked", async () => {
    const file = join(folder, "good.yaml");
    const { out } = await run(["config", "print", "--effective", "--config", file, "--server.port=9000"]);
    expect(out).toContain("port: 9000");
    expect(out).toContain('hs256_secret: "***"');
    expect(out).not.toContain("ssss");
    expect((await run(["config", "print", "--config", join(folder, "bad.yaml")])).code).toBe(78);
  });

  it("serve: refuses to start with it", async () => {
    const { code, err } = await run(["serve", "--config", join(folder, "bad.yaml")]);
    expect([code, err]).toEqual([78, expect.stringContaining("3 problems") as unknown]);
  });
});

describe("token", () => {
  it("prints the token and nothing else", async () => {
    const { code, out, err } = await run(`token --sub alice --publish --secret ${"s".repeat(32)}`);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});

describe("report", () => {
  it("tells a CliError with its hint", async () => {
    const { terminal, err } = recordedTerminal();
    expect(await report(new CliError("it broke", { exitCode: 69, hint: "mend it" }), terminal)).toBe(69);
    expect(err()).toBe("sluice: it broke\nmend it\n");
  });

  it("tells a fault of ours without its stack", async () => {
    const { terminal, err } = recordedTerminal();
    expect(await report(new TypeError("x is undefined"), terminal)).toBe(70);
    expect(err()).toBe("sluice: a fault of ours: x is undefined\nNODE_DEBUG=sluice shows where.\n");
  });
});
