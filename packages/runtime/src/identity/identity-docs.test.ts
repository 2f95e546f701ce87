// docs/identity.md against the code: its examples load, its table of reasons is the table.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../clock.js";
import { loadSettings } from "../settings/load-settings.js";
import { authFailures } from "./auth-failures.js";
import { createAuthenticator } from "./authenticator.js";

const page = readFileSync(new URL("../../../../docs/identity.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml]) => yaml ?? "");

describe("docs/identity.md", () => {
  it("has an example for each way", () => expect(examples).toHaveLength(3));

  it.each(examples)("example %# is a configuration that works, without a warning", (yaml) => {
    const folder = mkdtempSync(join(tmpdir(), "sluice-identity-docs-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const secretFile = join(folder, "secret");
    writeFileSync(secretFile, "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
    const file = join(folder, "sluice.yaml");
    writeFileSync(file, yaml.replace("file: /etc/sluice/jwt-secret", `file: ${secretFile}`), { mode: 0o600 });
    const env = yaml.includes("introspection") ? { SLUICE_AUTH__INTROSPECTION_CLIENT_SECRET: "s3cret" } : {};
    const loaded = loadSettings({ file, env, flags: [], requireAuth: true });
    expect(loaded).toMatchObject({ ok: true, warnings: [] });
    if (!loaded.ok) return;
    expect(createAuthenticator(loaded.settings.auth, { clock: systemClock }).warnings).toEqual([]);
  });

  it("tells every reason as it is", () => {
    const rows = Object.entries(authFailures).map(([reason, { status, message }]) => {
      return `| \`${reason}\` | ${status} | ${message} |`;
    });
    expect(page.slice(page.indexOf("| `missing`")).trimEnd().split("\n")).toEqual(rows);
  });
});
