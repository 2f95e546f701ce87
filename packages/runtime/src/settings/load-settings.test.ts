import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settingKeys } from "./catalogue.js";
import { defaultSettings } from "./defaults.js";
import { loadSettings, type LoadSettingsOptions } from "./load-settings.js";
import { formatProblem } from "./problem.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-settings-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function write(content: string | Buffer, mode = 0o600, name = "sluice.yaml"): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

interface Case {
  readonly yaml?: string | Buffer;
  readonly env?: LoadSettingsOptions["env"];
  readonly flags?: readonly string[];
  readonly requireAuth?: boolean;
}

function load({ yaml, env = {}, flags = [], requireAuth = false }: Case) {
  const file = yaml === undefined ? {} : { file: write(yaml) };
  return loadSettings({ ...file, env, flags, requireAuth });
}

function problemsOf(input: Case): string[] {
  const outcome = load(input);
  return outcome.ok ? [] : outcome.problems.map((problem) => formatProblem(problem).replaceAll(`${dir}/`, ""));
}

function loaded(input: Case) {
  const outcome = load(input);
  if (!outcome.ok) throw new Error(outcome.problems.map(formatProblem).join("\n"));
  return outcome;
}

const secret = "correct-horse-battery-staple-0123456789";

describe("a configuration that is right", () => {
  it("is the defaults when there is nothing", () => {
    const { settings, sources, warnings } = loaded({});
    expect(settings).toEqual(defaultSettings);
    expect([...sources.keys()]).toEqual(settingKeys.map(({ path }) => path));
    expect(new Set([...sources.values()].map(({ kind }) => kind))).toEqual(new Set(["default"]));
    expect(warnings).toEqual([]);
  });

  it("is the defaults when the file is empty, only comments, or only names of sections", () => {
    for (const yaml of ["", "# nothing\n", "server:\nlog:\n  retention:\n", " ".repeat(1_048_576)]) {
      expect(loaded({ yaml }).settings).toEqual(defaultSettings);
    }
  });

  it("takes flags before environment before file before defaults, and says which", () => {
    const { settings, sources } = loaded({
      yaml: "heartbeat:\n  interval_ms: 1\n  timeout_ms: 2\n  max_missed: 4\n",
      env: { SLUICE_HEARTBEAT__INTERVAL_MS: "10", SLUICE_HEARTBEAT__TIMEOUT_MS: "20" },
      flags: ["--heartbeat.interval_ms=100"],
    });
    expect(settings.heartbeat).toEqual({ interval_ms: 100, timeout_ms: 20, max_missed: 4, close_code: 1000 });
    expect(sources.get("heartbeat.interval_ms")).toEqual({ kind: "flag", at: "--heartbeat.interval_ms" });
    expect(sources.get("heartbeat.timeout_ms")).toEqual({ kind: "env", at: "SLUICE_HEARTBEAT__TIMEOUT_MS" });
    expect(sources.get("heartbeat.max_missed")).toEqual({ kind: "file", at: `${join(dir, "sluice.yaml")}:4` });
    expect(sources.get("heartbeat.close_code")).toEqual({ kind: "default", at: "default" });
  });

  it("takes the file that is named before the one of SLUICE_CONFIG", () => {
    const other = write("server: {port: 1}", 0o600, "other.yaml");
    expect(loaded({ yaml: "server: {port: 2}", env: { SLUICE_CONFIG: other } }).settings.server.port).toBe(2);
    expect(loaded({ env: { SLUICE_CONFIG: other } }).settings.server.port).toBe(1);
  });

  it("reads every kind of value from text", () => {
    const { settings } = loaded({
      env: {
        SLUICE_LOG__RETENTION__MAX_EVENTS: "",
        SLUICE_LOG__RETENTION__MAX_AGE_MS: "null",
        SLUICE_AUTH__AUDIENCE: " a , b ",
        SLUICE_AUTH__MAPPING: '[{"group":"ops","clusters":["c-*"],"scope":"events:publish admin"}]',
        SLUICE_BUFFER__HIGH_WATERMARK: "0.75",
        SLUICE_TELEMETRY__LOG_PRETTY: "true",
        SLUICE_SERVER__ALLOWED_ORIGINS: "",
        SLUICE_UNSET: undefined,
      },
      flags: [
        "--auth.dev",
        "--demo.enabled",
        "false",
        "--log.dir",
        "-odd",
        "--heartbeat.close_code=4999",
        "--auth.query_token=false",
      ],
    });
    expect(settings.log.retention).toMatchObject({ max_events: null, max_age_ms: null });
    expect(settings.auth).toMatchObject({ audience: ["a", "b"], dev: true, query_token: false });
    expect(settings.auth.mapping).toEqual([{ group: "ops", clusters: ["c-*"], scope: "events:publish admin" }]);
    expect(settings.buffer.high_watermark).toBe(0.75);
    expect(settings.telemetry.log_pretty).toBe(true);
    expect(settings.server.allowed_origins).toEqual([]);
    expect(settings.demo.enabled).toBe(false);
    expect(settings.log.dir).toBe("-odd");
    expect(settings.heartbeat.close_code).toBe(4999);
    expect(loaded({ env: { SLUICE_AUTH__MAPPING: " " } }).settings.auth.mapping).toEqual([]);
  });

  it("follows an alias, of a value as of a section", () => {
    const yaml = "heartbeat: &h {interval_ms: &ms 7}\nauth: {clock_skew_ms: *ms}\n";
    expect(loaded({ yaml }).settings).toMatchObject({ heartbeat: { interval_ms: 7 }, auth: { clock_skew_ms: 7 } });
    expect(problemsOf({ yaml: "heartbeat: &h {interval_ms: 70}\ndemo: *h\n" })).toEqual([]);
  });

  it("leaves alone what is not meant as a setting: other programs', the command line's, Kubernetes'", () => {
    const env = {
      HOME: "/x",
      SLUICE_URL: "ws://x",
      SLUICE_TOKEN: "x",
      SLUICE_SERVICE_HOST: "10.0.0.1",
      SLUICE_SERVICE_PORT: "80",
      SLUICE_SERVICE_PORT_HTTP: "80",
      SLUICE_PORT: "tcp://10.0.0.1:80",
      SLUICE_PORT_80_TCP: "tcp://10.0.0.1:80",
      SLUICE_GATEWAY_PORT_80_TCP_ADDR: "10.0.0.1",
    };
    expect(loaded({ env }).settings).toEqual(defaultSettings);
    expect(problemsOf({ env: { SLUICE_SERVER_PORT: "80" } })).toHaveLength(1);
  });

  it("allows what may look odd: a timeout longer than the interval, each end of a range, loopback in every spelling", () => {
    const odd = {
      flags: ["--heartbeat.interval_ms=1", "--heartbeat.timeout_ms=3600000", "--heartbeat.close_code=4000"],
    };
    expect(problemsOf(odd)).toEqual([]);
    for (const host of ["127.8.9.1", "::1", "localhost", "0:0:0:0:0:0:0:1"]) {
      expect(problemsOf({ flags: ["--auth.dev", `--server.host=${host}`], requireAuth: true })).toEqual([]);
    }
    expect(problemsOf({ env: { SLUICE_AUTH__JWKS_URL: "http://[::1]:8/keys" }, requireAuth: true })).toEqual([]);
    expect(problemsOf({ env: { SLUICE_AUTH__ISSUER: "sluice" } })).toEqual([]);
    expect(problemsOf({ env: { SLUICE_AUTH__ISSUER: "sluice" }, requireAuth: true })).toHaveLength(1);
    expect(problemsOf({ env: { SLUICE_AUTH__ISSUER: "https://idp.example" }, requireAuth: true })).toEqual([]);
  });

  it("can't be changed", () => {
    const { settings } = loaded({});
    expect(Object.isFrozen(settings) && Object.isFrozen(settings.auth.algorithms)).toBe(true);
  });
});

describe("secrets", () => {
  it("are read from their file, without the white space around them", () => {
    const path = write(`\n${secret}\n`, 0o600, "secret");
    const { settings, sources, warnings } = loaded({
      env: { SLUICE_AUTH__HS256_SECRET_FILE: path },
      requireAuth: true,
    });
    expect(settings.auth).toMatchObject({ hs256_secret: secret, hs256_secret_file: path });
    expect(sources.get("auth.hs256_secret")).toEqual({ kind: "file", at: path });
    expect(warnings).toEqual([]);
  });

  it.each([0, 1, 4_096, 4_097])("of %i bytes in a file", (bytes) => {
    const path = write("s".repeat(bytes), 0o600, "secret");
    expect(problemsOf({ env: { SLUICE_AUTH__HS256_SECRET_FILE: path } })).toHaveLength(
      bytes < 1 || bytes > 4_096 ? 1 : 0,
    );
  });

  it("are warned about where others can see them", () => {
    const path = write(secret, 0o640, "secret");
    expect(loaded({ flags: [`--auth.hs256_secret_file=${path}`] }).warnings).toEqual([
      "the file of auth.hs256_secret_file can be read by others than its owner; chmod 600 it",
    ]);
    expect(loaded({ flags: [`--auth.hs256_secret=${secret}`] }).warnings).toEqual([
      "auth.hs256_secret is given as a flag, which every user of this machine can see; use the environment or a file",
    ]);
    const file = write(`auth:\n  hs256_secret: ${secret}\n`, 0o644, "open.yaml");
    const outcome = loadSettings({ file, env: {}, flags: [] });
    expect(outcome.ok && outcome.warnings).toEqual([
      `auth.hs256_secret stands in ${file}:2, which others than its owner can read; chmod 600 it`,
    ]);
  });
});
