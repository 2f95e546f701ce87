// The gateway and the service with a real identity provider: login, connect, keys that change, an issuer that goes away.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK } from "jose";
import Provider from "oidc-provider";
import { eventually, RawClient, startGateway, startServer } from "@sluice/testkit";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

const audience = "https://sluice.example";
let issuer: string;
let http: Server;
let provider: RequestListener;
let isDown = false;

async function signingKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

function providerWith(...keys: JWK[]): RequestListener {
  const callback = new Provider(issuer, {
    clients: [
      {
        client_id: "agent",
        client_secret: "agents-secret",
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    jwks: { keys },
    cookies: { keys: ["unused"] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: "",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  }).callback();
  return (request, response) => void callback(request, response);
}

async function login(): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from("agent:agents-secret").toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource: audience }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

beforeAll(async () => {
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  http = createServer((request, response) => {
    if (isDown) request.socket.destroy();
    else provider(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
  vi.restoreAllMocks();
});

it("log in, connect, go on through a change of keys and a while without the issuer", async () => {
  const [first, second] = [await signingKey("first"), await signingKey("second")];
  provider = providerWith(first);
  const auth = { hs256_secret: null, issuer, audience: [audience], jwks_cooldown_ms: 100 };
  await using server = await startServer({ auth });
  await using gateway = await startGateway([server.url], { auth });
  const connects = async (token: string): Promise<string> => {
    await using client = await RawClient.connect(gateway.url, { token });
    return String((await client.take())["user_id"]);
  };
  const old = await login();
  expect(await connects(old)).toBe("agent");

  provider = providerWith(second, first);
  const rotated = await login();
  // The next token may come within the cool-down of the last look at the keys.
  expect(await eventually("the new key to be known", () => connects(rotated).catch(() => undefined), 2_000)).toBe(
    "agent",
  );
  expect(await connects(old)).toBe("agent");

  isDown = true;
  expect(await connects(old)).toBe("agent");
  expect(await connects(rotated)).toBe("agent");
  const elsewhere = await generateKeyPair("RS256");
  const { SignJWT } = await import("jose");
  const unknown = await new SignJWT({
    sub: "agent",
    aud: audience,
    iss: issuer,
    exp: Math.floor(Date.now() / 1000) + 60,
  })
    .setProtectedHeader({ alg: "RS256", kid: "third" })
    .sign(elsewhere.privateKey);
  await eventually("the cool-down to pass", async () =>
    (await RawClient.refused(gateway.url, { token: unknown })).status === 503 ? true : undefined,
  );
  isDown = false;
  await eventually("the issuer to be asked again", async () =>
    (await RawClient.refused(gateway.url, { token: unknown })).status === 401 ? true : undefined,
  );
});
