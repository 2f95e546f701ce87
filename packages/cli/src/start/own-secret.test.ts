import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureOwnSecret } from "./own-secret.js";

describe("ensureOwnSecret", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-secret-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("makes a secret of 32 bytes for its owner alone", async () => {
    const file = join(folder, "data", "secret");
    await ensureOwnSecret(file);
    const text = await readFile(file, "utf8");
    expect(Buffer.from(text.trim(), "base64url")).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "data"))).mode & 0o777).toBe(0o700);
  });

  it("keeps the one that is there, and closes it to others", async () => {
    const file = join(folder, "secret");
    await writeFile(file, "mine");
    await chmod(file, 0o644);
    await ensureOwnSecret(file);
    expect(await readFile(file, "utf8")).toBe("mine");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("says why it can't be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(ensureOwnSecret(join(folder, "file", "secret"))).rejects.toThrow(
      /secret (?:is in the way|has something in its path)/,
    );
  });
});
