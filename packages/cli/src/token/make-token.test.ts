import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeToken, type TokenRequest } from "./make-token.js";

const secret = "s".repeat(32);
const request: TokenRequest = { sub: "alice", ttl: 3_600_000 };
const claims = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

describe("makeToken", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-token-"));
    await writeFile(at("secret"), `${secret}\n`, { mode: 0o600 });
    await writeFile(at("sluice.yaml"), `auth:\n  hs256_secret: ${secret}\n  issuer: us\n  audience: [them]\n`, {
      mode: 0o600,
    });
    await writeFile(at("dev.yaml"), "auth:\n  dev: true\n");
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("says who, until when, and what", async () => {
    const full = { ...request, events: ["GPU_*"], clusters: ["c-1"], publish: true, admin: true, secret };
    const said = claims(await makeToken({ ...full, issuer: "i", audience: "a" }, {}));
    expect(said).toMatchObject({
      sub: "alice",
      events: ["GPU_*"],
      clusters: ["c-1"],
      scope: "events:publish admin",
      iss: "i",
      aud: "a",
    });
    expect(Number(said["exp"]) - Number(said["iat"])).toBe(3_600);
  });

  it("claims nothing that was not asked for", async () => {
    const said = claims(await makeToken({ ...request, secret }, {}));
    expect(Object.keys(said).sort()).toEqual(["exp", "iat", "sub"]);
  });

  it("finds the secret wherever a service would", async () => {
    const ways: readonly (readonly [Partial<TokenRequest>, Record<string, string>])[] = [
      [{ secret }, {}],
      [{ secret: "short, but a service takes it" }, {}],
      [{ secretFile: at("secret") }, {}],
      [{ secretFile: at("secret") }, { SLUICE_AUTH__HS256_SECRET: "x".repeat(40) }],
      [{}, { SLUICE_AUTH__HS256_SECRET: secret }],
      [{}, { SLUICE_AUTH__HS256_SECRET_FILE: at("secret") }],
    ];
    for (const [some, env] of ways) {
      expect(claims(await makeToken({ ...request, ...some }, env))["sub"]).toBe("alice");
    }
    const configured = claims(await makeToken({ ...request, config: at("sluice.yaml") }, {}));
    expect(configured).toMatchObject({ iss: "us", aud: "them" });
  });

  it.each([
    [{}, "there is no shared secret to sign with"],
    [{ sub: " ", secret }, "--sub must not be empty"],
    [{ secret: "" }, "--secret is empty"],
    [{ secret, secretFile: "x" }, "give one"],
    [{ secretFile: "/nowhere" }, "auth.hs256_secret_file"],
  ] as const)("refuses %j", async (some, message) => {
    await expect(makeToken({ ...request, ...some }, {})).rejects.toThrow(message);
  });

  it("says that a service in development needs none", async () => {
    await expect(makeToken({ ...request, config: at("dev.yaml") }, {})).rejects.toMatchObject({
      hint: expect.stringContaining("auth.dev") as unknown,
    });
  });
});
