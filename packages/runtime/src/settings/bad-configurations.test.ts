import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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

const secret = "correct-horse-battery-staple-0123456789";
const url = "an https URL, or http to a loopback host, without user, password or fragment";
const unknown = "allowed: the keys that `sluice config print` lists";
const secretAllowed =
  "allowed: a string of 1 to 4096 bytes, 32 or more to be safe (RFC 7518 §3.2), not the mask ***, or null (no shared secret)";
const mapping =
  "allowed: a list of up to 1000, each {group and/or role: string, events?: [pattern], clusters?: [pattern], scope?: " +
  "words of events:publish, admin} where a pattern is 1 to 128 of A-Z a-z 0-9 _ . : -, or such with a trailing *, or * alone, none twice";

const bad: readonly [string, Case, readonly string[]][] = [
  [
    "a word for a number",
    { env: { SLUICE_HEARTBEAT__INTERVAL_MS: "30s" } },
    ['heartbeat.interval_ms is "30s"; allowed: an integer from 1 to 3600000 (ms) (SLUICE_HEARTBEAT__INTERVAL_MS)'],
  ],
  [
    "an exponent in a flag",
    { flags: ["--limits.connections=1e3"] },
    ['limits.connections is "1e3"; allowed: an integer from 1 to 1000000 (connections) (--limits.connections)'],
  ],
  [
    "an exponent in the file",
    { yaml: "server:\n  port: 1e3\n" },
    ["server.port is 1e3; allowed: an integer from 0 to 65535 (sluice.yaml:2)"],
  ],
  [
    "an octal number",
    { yaml: "server: {port: 0o17}" },
    ["server.port is 0o17; allowed: an integer from 0 to 65535 (sluice.yaml:1)"],
  ],
  [
    "a decimal",
    { yaml: "server: {port: 80.0}" },
    ["server.port is 80.0; allowed: an integer from 0 to 65535 (sluice.yaml:1)"],
  ],
  [
    "a port past the last",
    { flags: ["--server.port=65536"] },
    ["server.port is 65536; allowed: an integer from 0 to 65535 (--server.port)"],
  ],
  [
    "a negative port",
    { flags: ["--server.port", "-1"] },
    ["server.port is -1; allowed: an integer from 0 to 65535 (--server.port)"],
  ],
  [
    "a number too large",
    { flags: ["--heartbeat.max_missed=99999999999999999999"] },
    [
      "heartbeat.max_missed is 100000000000000000000; allowed: an integer from 1 to 100 (pongs) (--heartbeat.max_missed)",
    ],
  ],
  [
    "a close code that is not ours to send",
    { yaml: "heartbeat:\n  close_code: 1006\n" },
    ["heartbeat.close_code is 1006; allowed: 1000 or an integer from 4000 to 4999 (sluice.yaml:2)"],
  ],
  [
    "a yes for a true",
    { env: { SLUICE_AUTH__DEV: "yes" } },
    ['auth.dev is "yes"; allowed: true or false (SLUICE_AUTH__DEV)'],
  ],
  [
    "a policy that is none",
    { env: { SLUICE_BUFFER__POLICY: "drop" } },
    ['buffer.policy is "drop"; allowed: one of drop-oldest, drop-newest, replay, disconnect (SLUICE_BUFFER__POLICY)'],
  ],
  [
    "null where it is not allowed",
    { yaml: "limits:\n  connections:\n" },
    ["limits.connections is null; allowed: an integer from 1 to 1000000 (connections) (sluice.yaml:2)"],
  ],
  [
    "a host with a port",
    { flags: ["--server.host=0.0.0.0:80"] },
    ['server.host is "0.0.0.0:80"; allowed: an IP address or a host name (--server.host)'],
  ],
  [
    "an empty directory",
    { env: { SLUICE_LOG__DIR: "" } },
    ['log.dir is ""; allowed: a path of 1 to 4096 characters (SLUICE_LOG__DIR)'],
  ],
  [
    "an origin with a path",
    { env: { SLUICE_SERVER__ALLOWED_ORIGINS: "https://a.example, https://b.example/x" } },
    [
      'server.allowed_origins[1] is "https://b.example/x"; allowed: a list of up to 1000, each `*` or an origin such as ' +
        "https://console.example.com, none twice (SLUICE_SERVER__ALLOWED_ORIGINS)",
    ],
  ],
  [
    "an algorithm of none",
    { yaml: "auth: {algorithms: [none]}" },
    [
      'auth.algorithms[0] is "none"; allowed: a list of 1 to 12, each one of HS256, RS256, RS384, RS512, PS256, PS384, PS512, ' +
        "ES256, ES384, ES512, EdDSA, Ed25519, none twice (sluice.yaml:1)",
    ],
  ],
  [
    "keys over http",
    { yaml: "auth:\n  jwks_url: http://idp.example/keys\n" },
    [`auth.jwks_url is "http://idp.example/keys"; allowed: ${url}, or null (no published keys) (sluice.yaml:2)`],
  ],
  [
    "a URL of another scheme",
    { env: { SLUICE_AUTH__INTROSPECTION_URL: "ftp://idp.example/" } },
    [
      `auth.introspection_url is "ftp://idp.example/"; allowed: ${url}, or null (no introspection) (SLUICE_AUTH__INTROSPECTION_URL)`,
    ],
  ],
  [
    "a password in a URL, which is not repeated",
    { env: { SLUICE_AUTH__JWKS_URL: "https://me:hunter2@idp.example/keys" } },
    [
      `auth.jwks_url is "https://[redacted]@idp.example/keys"; allowed: ${url}, or null (no published keys) (SLUICE_AUTH__JWKS_URL)`,
    ],
  ],
  [
    "an issuer over http",
    { flags: ["--auth.issuer=http://idp.example"] },
    [
      `auth.issuer is "http://idp.example"; allowed: a string of 1 to 512 characters; a URL only as ${url}, or null (any) (--auth.issuer)`,
    ],
  ],
  [
    "a secret that is too long, which is not repeated",
    { env: { SLUICE_AUTH__HS256_SECRET: "hunter2".repeat(600) } },
    [`auth.hs256_secret is not allowed (a secret is not shown); ${secretAllowed} (SLUICE_AUTH__HS256_SECRET)`],
  ],
  [
    "a masked secret",
    { yaml: "auth: {introspection_client_id: a, introspection_client_secret: '***'}" },
    [
      "auth.introspection_client_secret is not allowed (a secret is not shown); allowed: a string of 1 to 4096 bytes, " +
        "not the mask ***, or null (none) (sluice.yaml:1)",
    ],
  ],
  [
    "a secret file that is missing",
    { flags: ["--auth.hs256_secret_file=/nowhere/secret"] },
    [
      "auth.hs256_secret_file names a file that cannot be read (ENOENT); allowed: a readable file with a secret of 1 to 4096 " +
        "bytes, 32 or more to be safe (RFC 7518 §3.2) (--auth.hs256_secret_file)",
    ],
  ],
  [
    "both a secret and its file",
    { yaml: `auth:\n  hs256_secret: ${secret}\n  hs256_secret_file: /x\n` },
    [
      "auth.hs256_secret is given beside the other one; allowed: one of auth.hs256_secret and auth.hs256_secret_file, the other " +
        "null (sluice.yaml:2)",
    ],
  ],
  [
    "watermarks the wrong way round",
    { env: { SLUICE_BUFFER__HIGH_WATERMARK: "0.5" } },
    [
      "buffer.high_watermark makes buffer.low_watermark 0.5 and buffer.high_watermark 0.5; allowed: buffer.low_watermark below " +
        "buffer.high_watermark (SLUICE_BUFFER__HIGH_WATERMARK)",
    ],
  ],
  [
    "an event larger than a publish",
    { flags: ["--limits.publish_body_bytes=1000"] },
    [
      "limits.publish_body_bytes makes limits.payload_bytes 262144 and limits.publish_body_bytes 1000; allowed: " +
        "limits.payload_bytes up to limits.publish_body_bytes (--limits.publish_body_bytes)",
    ],
  ],
  [
    "development open to the network",
    { flags: ["--auth.dev", "--server.host=0.0.0.0"] },
    [
      "auth.dev opens auth.dev to 0.0.0.0; allowed: server.host in 127.0.0.0/8, ::1 or localhost while auth.dev is true (--auth.dev)",
    ],
  ],
  [
    "a client id without its secret",
    { env: { SLUICE_AUTH__INTROSPECTION_CLIENT_ID: "sluice" } },
    [
      "auth.introspection_client_id is given without the others; allowed: auth.introspection_url, auth.introspection_client_id " +
        "and auth.introspection_client_secret, all or none (RFC 7662 §2.1) (SLUICE_AUTH__INTROSPECTION_CLIENT_ID)",
    ],
  ],
  [
    "a secret without its algorithm",
    { env: { SLUICE_AUTH__HS256_SECRET: secret, SLUICE_AUTH__ALGORITHMS: "ES256" } },
    [
      "auth.algorithms leaves the shared secret without its algorithm; allowed: HS256 among auth.algorithms while there is a " +
        "shared secret (SLUICE_AUTH__ALGORITHMS)",
    ],
  ],
  [
    "published keys without an algorithm",
    { env: { SLUICE_AUTH__JWKS_URL: "https://idp.example/keys", SLUICE_AUTH__ALGORITHMS: "HS256" } },
    [
      "auth.algorithms leaves the published keys without an algorithm; allowed: an algorithm besides HS256 among " +
        "auth.algorithms while auth.jwks_url is set (SLUICE_AUTH__ALGORITHMS)",
    ],
  ],
  [
    "no authentication at all",
    { requireAuth: true },
    [
      "auth.hs256_secret lets nobody in: no authentication is configured; allowed: one of (1) auth.hs256_secret_file, tokens " +
        "signed with a shared secret, (2) auth.issuer as a URL, auth.jwks_url or auth.introspection_url, an identity provider, (3) auth.dev=true, " +
        "development on this machine only (default)",
    ],
  ],
  [
    "a rule with an unknown scope",
    { env: { SLUICE_AUTH__MAPPING: '[{"group":"a"},{"group":"b","scope":"root"}]' } },
    [`auth.mapping[1].scope is "root"; ${mapping} (SLUICE_AUTH__MAPPING)`],
  ],
  [
    "a rule for nobody",
    { yaml: "auth:\n  mapping:\n    - events: [GPU_*]\n" },
    [`auth.mapping[0] is {"events":["GPU_*"]}; ${mapping} (sluice.yaml:2)`],
  ],
  [
    "a rule with a word too many",
    { yaml: "auth: {mapping: [{role: a, grop: b}]}" },
    [`auth.mapping[0].grop is "b"; ${mapping} (sluice.yaml:1)`],
  ],
  [
    "rules that are not JSON",
    { env: { SLUICE_AUTH__MAPPING: "[{" } },
    [`auth.mapping is "[{"; ${mapping} (SLUICE_AUTH__MAPPING)`],
  ],
  [
    "a misspelt key in the file",
    { yaml: "\nheartbeat:\n  intervall_ms: 5\n" },
    [`heartbeat.intervall_ms is not a setting; did you mean heartbeat.interval_ms?; ${unknown} (sluice.yaml:3)`],
  ],
  [
    "a misspelt section",
    { yaml: "heartbeats: {}" },
    [`heartbeats is not a setting; did you mean heartbeat?; ${unknown} (sluice.yaml:1)`],
  ],
  [
    "one underscore in place of two",
    { env: { SLUICE_HEARTBEAT_INTERVAL_MS: "5" } },
    [
      "SLUICE_HEARTBEAT_INTERVAL_MS is not a setting; did you mean SLUICE_HEARTBEAT__INTERVAL_MS?; " +
        `${unknown} (SLUICE_HEARTBEAT_INTERVAL_MS)`,
    ],
  ],
  [
    "a flag without its section",
    { flags: ["--query_token", "80"] },
    [`--query_token is not a setting; did you mean --auth.query_token?; ${unknown} (--query_token)`],
  ],
  ["a flag like nothing", { flags: ["--zzzzzzzz=1"] }, [`--zzzzzzzz is not a setting; ${unknown} (--zzzzzzzz)`]],
  [
    "a name of JavaScript's",
    { yaml: "__proto__: {dev: true}" },
    [`__proto__ is not a setting; ${unknown} (sluice.yaml:1)`],
  ],
  [
    "a flag without a value",
    { flags: ["--server.port"] },
    ["server.port has no value; allowed: an integer from 0 to 65535 (--server.port)"],
  ],
  [
    "a flag given twice",
    { flags: ["--server.port=1", "--server.port=2"] },
    ["server.port is given more than once; allowed: one flag a key (--server.port)"],
  ],
  [
    "a word that is no flag",
    { flags: ["serve"] },
    ["command line is not a flag; allowed: --key=value or --key value (argument 1)"],
  ],
  [
    "a key written with dots",
    { yaml: "heartbeat.interval_ms: 5" },
    [
      "heartbeat.interval_ms is written with dots; allowed: one level of indentation for each part of the key (sluice.yaml:1)",
    ],
  ],
  [
    "a key with a dot that is none",
    { yaml: "server:\n  a.b: 5\n" },
    [`server.a.b is not a setting; did you mean server?; ${unknown} (sluice.yaml:2)`],
  ],
  ["a key that is a list", { yaml: "? [a, b]\n: 5\n" }, [`(not a word) is not a setting; ${unknown} (sluice.yaml:1)`]],
  [
    "a section that is a number",
    { yaml: "server: 5" },
    ["server is not a mapping; allowed: keys with values below it (sluice.yaml:1)"],
  ],
  [
    "a file that is a list",
    { yaml: "- server\n" },
    ["config file is not a mapping; allowed: keys with values below it (sluice.yaml:1)"],
  ],
  [
    "a key twice",
    { yaml: "server:\n  port: 1\n  port: 2\n" },
    ["config file has the same key twice; allowed: YAML 1.2 (sluice.yaml:3)"],
  ],
  [
    "two documents",
    { yaml: "server: {}\n---\nserver: {}\n" },
    ["config file holds more than one document; allowed: YAML 1.2 (sluice.yaml:2)"],
  ],
  [
    "a tag",
    { yaml: "server: !!js/function x\n" },
    ["config file has a tag that is not known; allowed: YAML 1.2 (sluice.yaml:1)"],
  ],
  [
    "broken YAML, which is not repeated",
    { yaml: "auth:\n  hs256_secret: @hunter2\n" },
    ["config file is not YAML (BAD_SCALAR_START); allowed: YAML 1.2 (sluice.yaml:2)"],
  ],
  [
    "a bomb of aliases",
    {
      yaml: `auth:\n  audience:\n    - &a [x,x,x,x,x,x,x,x,x,x]\n    - &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n    - [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`,
    },
    [
      "auth.audience follows more than 100 aliases, or one that leads nowhere; allowed: a list of up to 100, each a string of 1 " +
        "to 512 characters, none twice (sluice.yaml:2)",
    ],
  ],
  [
    "too many brackets",
    { yaml: "[".repeat(100_000) },
    ["config file is nested too deeply; allowed: YAML 1.2 (sluice.yaml:1)"],
  ],
  [
    "33 levels",
    { yaml: "{a: ".repeat(33) + "}".repeat(33) },
    ["config file is nested too deeply; allowed: YAML 1.2 (sluice.yaml:1)"],
  ],
  ["32 levels", { yaml: "{a: ".repeat(32) + "}".repeat(32) }, [`a is not a setting; ${unknown} (sluice.yaml:1)`]],
  ["tabs", { yaml: "server:\n\tport: 1\n" }, ["config file is indented with tabs; allowed: YAML 1.2 (sluice.yaml:2)"]],
  [
    "an anchor that is not there",
    { yaml: "server: *x\n" },
    ["server refers to an anchor that doesn't exist; allowed: keys with values below it (sluice.yaml:1)"],
  ],
  [
    "an anchor that is not there, for a value",
    { yaml: "server: {port: *x}\n" },
    ["server.port refers to an anchor that doesn't exist; allowed: an integer from 0 to 65535 (sluice.yaml:1)"],
  ],
  [
    "a number for a secret, which is not repeated",
    { yaml: "auth: {hs256_secret: 0x12345678}" },
    [`auth.hs256_secret is not allowed (a secret is not shown); ${secretAllowed} (sluice.yaml:1)`],
  ],
  [
    "bytes that are not UTF-8",
    { yaml: Buffer.from([0x61, 0xff]) },
    ["config file is not UTF-8; allowed: YAML 1.2 in UTF-8 (sluice.yaml)"],
  ],
  [
    "a file of 1 MiB and a byte",
    { yaml: "#".repeat(1_048_577) },
    ["config file is larger than 1048576 bytes; allowed: a readable file of up to 1048576 bytes (sluice.yaml)"],
  ],
  [
    "a file that is missing",
    { env: { SLUICE_CONFIG: "/nowhere/sluice.yaml" } },
    ["config file cannot be read (ENOENT); allowed: a readable file of up to 1048576 bytes (/nowhere/sluice.yaml)"],
  ],
];

describe("a configuration with a mistake", () => {
  it.each(bad)("%s", (_, input, expected) => {
    expect(problemsOf(input)).toEqual(expected);
  });

  it("tells every problem of every place at once, and no rule between keys that are wrong themselves", () => {
    const problems = problemsOf({
      yaml: "heartbeat: {interval_ms: 0, max_missed: x}\nbuffer: {low_watermark: 2}\n",
      env: { SLUICE_SERVER__PORT: "http", SLUICE_X: "1" },
      flags: ["--buffer.high_watermark=0.1", "--auth.jwks_url=nonsense"],
      requireAuth: true,
    });
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "heartbeat.interval_ms",
      "heartbeat.max_missed",
      "buffer.low_watermark",
      "SLUICE_X",
      "server.port",
      "auth.jwks_url",
    ]);
  });

  it("is told within seconds where there are thousands of mistakes", () => {
    const yaml = Array.from({ length: 2_000 }, (_, index) => `heartbeat_interval_${index}: 1\n`).join("");
    expect(problemsOf({ yaml })).toHaveLength(2_000);
  });

  it("never has the content of a secret's file in it", () => {
    const path = write("x".repeat(4_097), 0o600, "secret");
    expect(problemsOf({ flags: [`--auth.hs256_secret_file=${path}`] })).toEqual([
      "auth.hs256_secret_file names a file with a secret of 4097 bytes; allowed: a readable file with a secret of 1 to 4096 bytes, " +
        "32 or more to be safe (RFC 7518 §3.2) (--auth.hs256_secret_file)",
    ]);
  });
});
