// The gateway and the service with a real identity provider: login, connect, keys that change, an issuer that goes away.
import { eventually, RawClient, startGateway, startServer } from "@sluice/testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { audience, signingKey, signWith, startIssuer } from "./issuer.js";

beforeAll(() => {
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterAll(() => {
  vi.restoreAllMocks();
});

it("log in, connect, go on through a change of keys and a while without the issuer", async () => {
  const [first, second, third] = [await signingKey("first"), await signingKey("second"), await signingKey("third")];
  await using issuer = await startIssuer(first);
  const auth = { hs256_secret: null, issuer: issuer.url, audience: [audience], jwks_cooldown_ms: 100 };
  await using server = await startServer({ auth });
  await using gateway = await startGateway([server.url], { auth });
  const connects = async (token: string): Promise<string> => {
    await using client = await RawClient.connect(gateway.url, { token });
    return String((await client.take())["user_id"]);
  };
  const old = await issuer.login();
  expect(await connects(old)).toBe("agent");

  issuer.publish(second, first);
  const rotated = await issuer.login();
  // The next token may come within the cool-down of the last look at the keys.
  expect(await eventually("the new key to be known", () => connects(rotated).catch(() => undefined), 2_000)).toBe(
    "agent",
  );
  expect(await connects(old)).toBe("agent");

  issuer.isDown = true;
  expect(await connects(old)).toBe("agent");
  expect(await connects(rotated)).toBe("agent");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const unknown = await signWith(third, { sub: "agent", aud: audience, iss: issuer.url, exp });
  await eventually("the cool-down to pass", async () =>
    (await RawClient.refused(gateway.url, { token: unknown })).status === 503 ? true : undefined,
  );
  issuer.isDown = false;
  await eventually("the issuer to be asked again", async () =>
    (await RawClient.refused(gateway.url, { token: unknown })).status === 401 ? true : undefined,
  );
});
