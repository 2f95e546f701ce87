import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settingKeys, type SettingKey } from "./catalogue.js";
import { defaultSettings } from "./defaults.js";
import { loadSettings } from "./load-settings.js";
import { printSettings } from "./print-settings.js";
import { settingsMarkdown } from "./settings-markdown.js";
import { settingsWith, type SettingsOverrides } from "./settings-with.js";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-print-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

function reload(yaml: string) {
  const file = join(dir, "printed.yaml");
  writeFileSync(file, yaml);
  return loadSettings({ file, env: {}, flags: [] });
}

const anyText = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
const pattern = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,12}\*?$/);
const limitMs = fc.integer({ min: 1, max: 3_600_000 });
const rule = fc.record(
  {
    group: anyText,
    role: anyText,
    events: fc.array(pattern),
    clusters: fc.array(pattern),
    scope: fc.constantFrom("admin", "events:publish admin"),
  },
  { requiredKeys: ["group"] },
);

const overrides: fc.Arbitrary<SettingsOverrides> = fc.record({
  server: fc.record({
    host: fc.constantFrom("127.0.0.1", "::", "sluice.example"),
    port: fc.integer({ min: 0, max: 65_535 }),
    ops_port: fc.option(fc.integer({ min: 0, max: 65_535 })),
    allowed_origins: fc.uniqueArray(fc.constantFrom("*", "https://a.example", "http://[::1]:80")),
  }),
  log: fc.record({
    dir: anyText.filter((text) => text.trim() !== "" && !text.includes("\0")),
    retention: fc.record({
      max_events: fc.option(fc.integer({ min: 1, max: 1_000_000_000_000 })),
      max_bytes: fc.option(limitMs),
    }),
  }),
  heartbeat: fc.record({
    interval_ms: limitMs,
    close_code: fc.oneof(fc.constant(1000), fc.integer({ min: 4000, max: 4999 })),
  }),
  buffer: fc.record({
    high_watermark: fc.double({ min: 0.5, max: 1, noNaN: true }),
    low_watermark: fc.double({ min: 1e-6, max: 0.49, noNaN: true }),
  }),
  auth: fc.record({
    query_token: fc.boolean(),
    issuer: fc.option(anyText.filter((text) => !text.includes("://"))),
    audience: fc.uniqueArray(anyText, { maxLength: 5 }),
    mapping: fc.uniqueArray(rule, { maxLength: 4, selector: (value) => JSON.stringify(value) }),
  }),
});

describe("printed settings", () => {
  it("load to the same settings, whatever they are", () => {
    fc.assert(
      fc.property(overrides, fc.boolean(), (some, comments) => {
        const settings = settingsWith(some);
        const outcome = reload(printSettings(settings, { comments }));
        expect(outcome.ok ? outcome.settings : outcome.problems).toEqual(settings);
      }),
      { numRuns: 100 },
    );
  });

  it("are the defaults when none are given, with and without comments", () => {
    for (const comments of [false, true]) {
      const outcome = reload(printSettings(undefined, { comments }));
      expect(outcome.ok && outcome.settings).toEqual(defaultSettings);
    }
  });

  it("have description, range and environment variable of a key above it", () => {
    expect(printSettings(defaultSettings, { comments: true })).toContain(
      [
        "heartbeat:",
        "  # Time between two pings of one connection; connections are spread over it.",
        "  # Allowed: an integer from 1 to 3600000 (ms). Default: 30000.",
        "  # SLUICE_HEARTBEAT__INTERVAL_MS",
        "  interval_ms: 30000",
      ].join("\n"),
    );
    expect(
      printSettings(defaultSettings, { comments: true })
        .split("\n")
        .every((line) => line.length <= 130),
    ).toBe(true);
  });

  it("mask secrets, and can't be loaded with the mask in place of a secret", () => {
    const hs256_secret = "correct-horse-battery-staple-0123456789";
    const printed = printSettings(settingsWith({ auth: { hs256_secret } }));
    expect(printed).toContain('hs256_secret: "***"');
    expect(printed).not.toContain(hs256_secret);
    expect(reload(printed).ok).toBe(false);
  });

  it("name the file of a secret in place of the secret", () => {
    const path = join(dir, "secret");
    writeFileSync(path, "correct-horse-battery-staple-0123456789", { mode: 0o600 });
    const loaded = loadSettings({ env: { SLUICE_AUTH__HS256_SECRET_FILE: path }, flags: [] });
    if (!loaded.ok) throw new Error("not loaded");
    const again = reload(printSettings(loaded.settings));
    expect(again.ok && again.settings).toEqual(loaded.settings);
  });
});

describe("docs/settings.md", () => {
  it("has a row for every key with its default", () => {
    const markdown = settingsMarkdown();
    const missing = settingKeys.filter(
      ({ path, default: value }: SettingKey) => !markdown.includes(`| \`${path}\` | \`${JSON.stringify(value)}\` |`),
    );
    expect(missing).toEqual([]);
  });
});

describe("every setting", () => {
  it.each(settingKeys.map((key) => [key.path, key] as const))("%s is described in a sentence", (_, key) => {
    expect(key.description).toMatch(/^[A-Z`].*\.$/);
    expect(key.path).toMatch(/^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/);
  });
});
