// Every bad token of the table on both doors, with a real issuer: at the handshake, over HTTP, and on a living
// connection. Then keys that change, an issuer that is down, and a flood of unknown keys.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually, publish, RawClient, request } from "@sluice/testkit";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { doors, errorsOf, type Door } from "./doors.js";
import { audience, signingKey, signWith, startIssuer, type Issuer, type SigningKey } from "../issuer.js";
import { badTokens, goodClaims, padded, type TokenWorld } from "./token-cases.js";

const cooldownMs = 1_000;
/** The bar of a rotation: good within 2 s; a loaded machine gets the rest. */
const rotationMsMax = 4_000;

let issuer: Issuer;
let world: TokenWorld;
let trapped = 0;
const trap = createServer((_request, response) => {
  trapped += 1;
  response.writeHead(200).end("{}");
});

beforeAll(async () => {
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const [key, stranger] = await Promise.all([signingKey("first"), signingKey("stranger")]);
  issuer = await startIssuer(key);
  await new Promise<void>((resolve) => trap.listen(0, "127.0.0.1", resolve));
  const trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
  world = { issuer: issuer.url, key, stranger, trap: trapUrl };
});
afterAll(async () => {
  trap.close();
  await issuer[Symbol.asyncDispose]();
  vi.restoreAllMocks();
});

describe.each(doors)("on the %s", (_name, open) => {
  let door: Door;
  let living: RawClient;
  const secrets: string[] = [];
  const auth = (): Record<string, unknown> => ({
    issuer: issuer.url,
    audience: [audience],
    jwks_cooldown_ms: cooldownMs,
  });
  beforeAll(async () => {
    door = await open({ auth: auth() });
    living = await RawClient.connect(door.url, { token: await issuer.login() });
    expectConnected(await living.take());
  });
  afterAll(async () => {
    await living[Symbol.asyncDispose]();
    await door[Symbol.asyncDispose]();
  });

  it("the issuer's token is good, and one signed as it signs, and one of 12,288 bytes", async () => {
    const good = [await issuer.login(), await signWith(world.key, goodClaims(world)), padded(world, 12_288)];
    for (const token of good) {
      await using client = await RawClient.connect(door.url, { token });
      expectConnected(await client.take());
      expect((await request(door.url, "/api/v1/events?limit=1", { token })).status).toBe(200);
    }
  });

  describe.each(badTokens)("a token is refused for its %s", (_group, cases) => {
    it.each(cases)("$name ($because)", async ({ make }) => {
      const token = await make(world);
      secrets.push(token);
      const { status, headers, body } = await RawClient.refused(door.url, { token });
      expect([status, headers["www-authenticate"]]).toEqual([
        401,
        expect.stringMatching(/^Bearer .*error="invalid_token"/),
      ]);
      const answer = await request(door.url, "/api/v1/events?limit=1", { token });
      expect(answer.status).toBe(401);
      const refused = await living.ask({ type: "refresh", id: "r", token: token === "" ? "x" : token });
      expect(refused).toMatchObject({ type: "error", id: "r", code: "AUTH_FAILED" });
      const told = body + answer.text + JSON.stringify(refused);
      if (token.length > 20) expect(told, "a token in an answer").not.toContain(token.slice(-20));
    });
  });

  it("a browser with a bad token gets Close 1008", async () => {
    const token = await signWith(world.stranger, goodClaims(world));
    await using client = await RawClient.connect(door.url, { token, origin: "https://app.example" });
    expect(await client.closed).toMatchObject({ code: 1008, reason: "Authentication failed" });
  });

  it("none of them was fetched for, logged, or harmed the connection that it was tried on", async () => {
    expect(trapped).toBe(0);
    const lines = JSON.stringify(door.logged());
    for (const token of secrets.filter(({ length }) => length > 20)) expect(lines).not.toContain(token.slice(-20));
    expect(errorsOf(door)).toEqual([]);
    living.send({ type: "ping", timestamp: 1 });
    expect(await living.next("pong")).toMatchObject({ timestamp: 1 });
  });

  it("a flood of unknown keys costs the issuer one question a cool-down", async () => {
    const startMs = performance.now();
    const before = issuer.asked.length;
    const claims = goodClaims(world);
    const tokens = await Promise.all(
      Array.from({ length: 200 }, (_, n) => signWith(world.stranger, claims, { kid: `k${n}` })),
    );
    const answers = await Promise.all(tokens.map((token) => request(door.url, "/api/v1/events?limit=1", { token })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    const cooldowns = Math.ceil((performance.now() - startMs) / cooldownMs) + 1;
    // The service behind a gateway asks for itself, but nothing of this reached it.
    expect(issuer.asked.length - before).toBeLessThanOrEqual(cooldowns);
  });

  it("a new key is good within 2 s, the old one goes on; while the issuer is down known keys are good, unknown ones 503", async () => {
    const second: SigningKey = await signingKey(`second-${_name}`);
    issuer.publish(second, world.key);
    const rotated = await issuer.login();
    const old = await signWith(world.key, goodClaims(world));
    const startMs = performance.now();
    await eventually("the new key to be known", async () => {
      const { status } = await request(door.url, "/api/v1/events?limit=1", { token: rotated });
      return status === 200 ? true : undefined;
    });
    expect(performance.now() - startMs).toBeLessThan(rotationMsMax);
    await using client = await RawClient.connect(door.url, { token: rotated });
    expectConnected(await client.take());

    issuer.isDown = true;
    const unknown = await signWith(world.stranger, goodClaims(world), { kid: "third" });
    for (const token of [old, rotated])
      expect((await request(door.url, "/api/v1/events?limit=1", { token })).status).toBe(200);
    await eventually("503 for what nobody can judge", async () =>
      (await RawClient.refused(door.url, { token: unknown })).status === 503 ? true : undefined,
    );
    await using page = await RawClient.connect(door.url, { token: unknown, origin: "https://app.example" });
    expect(await page.closed).toMatchObject({ code: 1013 });
    issuer.isDown = false;
    await eventually("the issuer to be asked again", async () =>
      (await RawClient.refused(door.url, { token: unknown })).status === 401 ? true : undefined,
    );
    issuer.publish(world.key);
    await expect(publish(door.url, [{ event_type: "A", payload: 1 }], unknown)).rejects.toThrow("401");
  });
});

function expectConnected(frame: { readonly type: string }): void {
  if (frame.type !== "connected") throw new Error(`expected connected, got ${frame.type}`);
}
