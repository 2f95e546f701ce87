import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tokenSource } from "./token-source.js";

describe("tokenSource", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-token-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("takes the option before the environment", async () => {
    const source = tokenSource({ token: "from-option" }, { SLUICE_TOKEN: "from-env" });
    expect([source.name, await source.read(), source.renews]).toEqual(["--token", "from-option", false]);
  });

  it("takes the environment, and no token when it is empty", async () => {
    expect(await tokenSource({}, { SLUICE_TOKEN: "from-env" }).read()).toBe("from-env");
    expect(await tokenSource({}, { SLUICE_TOKEN: "" }).read()).toBeUndefined();
  });

  it("reads its file anew every time", async () => {
    const file = join(folder, "renewed");
    const source = tokenSource({ tokenFile: file }, { SLUICE_TOKEN: "from-env" });
    await writeFile(file, "first\n");
    expect(await source.read()).toBe("first");
    await writeFile(file, "  second  \n");
    expect(await source.read()).toBe("second");
    expect(source.renews).toBe(true);
  });

  it("says what is wrong with a file", async () => {
    await expect(tokenSource({ tokenFile: join(folder, "none") }, {}).read()).rejects.toThrow("does not exist");
    await expect(tokenSource({ tokenFile: folder }, {}).read()).rejects.toThrow("is a directory");
    const file = join(folder, "empty");
    await writeFile(file, "\n");
    await expect(tokenSource({ tokenFile: file }, {}).read()).rejects.toThrow("is empty");
  });

  it("refuses what can't stand in a header, without repeating it", () => {
    const act = () => tokenSource({ token: "abc def" }, {});
    expect(act).toThrow("is not a token");
    expect(act).not.toThrow("abc def");
  });

  it("refuses two options at once", () => {
    expect(() => tokenSource({ token: "a", tokenFile: "b" }, {})).toThrow("give one");
  });
});
