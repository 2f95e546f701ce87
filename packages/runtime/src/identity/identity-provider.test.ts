// Against a real identity provider: discovery, keys that change, an issuer that goes away, introspection.
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider, { type Configuration } from "oidc-provider";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultSettings } from "../settings/defaults.js";
import { createAuthenticator } from "./authenticator.js";
import type { AuthenticatorSettings } from "./authenticator-settings.js";

const audience = "https://sluice.example";
const opaqueResource = `${audience}/opaque`;
const jwtResource = `${audience}/jwt`;
const clientSecret = "a secret with +, : and %";

let server: Server;
let issuer: string;
let provider: RequestListener;
const asked: string[] = [];

async function signingKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

function providerWith(...keys: JWK[]): RequestListener {
  const client = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };
  const configuration: Configuration = {
    clients: ["agent", "sluice"].map((id) => ({ ...client, client_id: id, client_secret: clientSecret })),
    jwks: { keys },
    cookies: { keys: ["unused"] },
    scopes: ["events:publish"],
    extraTokenClaims: () => ({ events: ["GPU_*"], clusters: ["c-1"] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "events:publish",
          audience,
          accessTokenFormat: resource === jwtResource ? "jwt" : "opaque",
          accessTokenTTL: 600,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
  const callback = new Provider(issuer, configuration).callback();
  return (request, response) => void callback(request, response);
}

/** Down keeps its port, so that nothing else can take it meanwhile: every connection ends without an answer. */
let down = false;

/** A token by the client credentials grant. */
async function tokenFor(resource: string): Promise<string> {
  const pair = `agent:${new URLSearchParams([["", clientSecret]]).toString().slice(1)}`;
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "events:publish", resource }),
  });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)}`);
  return body.access_token;
}

function start(change: Partial<AuthenticatorSettings>) {
  const time = { now: 0 };
  const troubles: string[] = [];
  const authenticator = createAuthenticator(
    { ...defaultSettings.auth, issuer, audience: [audience], ...change },
    { clock: { now: () => time.now, wall: () => Date.now() }, onTrouble: (trouble) => troubles.push(trouble) },
  );
  return { authenticator, time, troubles };
}

const agent = {
  ok: true,
  identity: { userId: "agent", rights: { events: ["GPU_*"], clusters: ["c-1"], publish: true, admin: false } },
};
const unavailable = { ok: false, reason: "issuer_unavailable", status: 503 };

beforeAll(async () => {
  // Its advice for production use is nothing to a test.
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (down) request.socket.destroy();
    else provider(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

beforeEach(() => {
  down = false;
  asked.splice(0);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  vi.restoreAllMocks();
});

describe("an issuer with discovery", () => {
  it("is asked once for its document and keys, and its tokens are believed", async () => {
    provider = providerWith(await signingKey("first"));
    const token = await tokenFor(jwtResource);
    asked.splice(0);
    const { authenticator, troubles } = start({});
    const outcomes = await Promise.all([authenticator.authenticate(token), authenticator.authenticate(token)]);
    for (const outcome of outcomes) expect(outcome).toMatchObject(agent);
    expect(asked).toEqual(["/.well-known/openid-configuration", "/jwks"]);
    expect(troubles).toEqual([]);
    await authenticator.close();
  });

  it("has its tokens for another audience refused", async () => {
    provider = providerWith(await signingKey("first"));
    const { authenticator } = start({ audience: ["https://other.example"] });
    expect(await authenticator.authenticate(await tokenFor(jwtResource))).toMatchObject({ reason: "wrong_audience" });
    await authenticator.close();
  });

  it("may change its key, and the new one is good one cool-down later without a restart of ours", async () => {
    const [first, second] = [await signingKey("first"), await signingKey("second")];
    provider = providerWith(first);
    const { authenticator, time } = start({});
    const old = await tokenFor(jwtResource);
    expect(await authenticator.authenticate(old)).toMatchObject(agent);
    provider = providerWith(second, first);
    time.now += defaultSettings.auth.jwks_cooldown_ms;
    expect(await authenticator.authenticate(await tokenFor(jwtResource))).toMatchObject(agent);
    expect(await authenticator.authenticate(old)).toMatchObject(agent);
    provider = providerWith(second);
    time.now += defaultSettings.auth.jwks_max_age_ms + 1;
    expect(await authenticator.authenticate(old)).toMatchObject({ reason: "unknown_key", status: 401 });
    await authenticator.close();
  });

  it("may be down for a while: known keys go on, unknown ones are nobody's fault", async () => {
    const [first, second] = [await signingKey("first"), await signingKey("second")];
    provider = providerWith(first);
    const [known, another] = [await tokenFor(jwtResource), await tokenFor(jwtResource)];
    provider = providerWith(second);
    const rotated = await tokenFor(jwtResource);
    provider = providerWith(first);
    const { authenticator, time, troubles } = start({});
    expect(await authenticator.authenticate(known)).toMatchObject(agent);

    down = true;
    time.now += defaultSettings.auth.jwks_max_age_ms + 1;
    expect(await authenticator.authenticate(known)).toMatchObject(agent);
    expect(await authenticator.authenticate(another)).toMatchObject(agent);
    expect(await authenticator.authenticate(rotated)).toMatchObject(unavailable);
    expect(troubles).toEqual([`${issuer}/.well-known/openid-configuration failed (UND_ERR_SOCKET)`]);
    time.now += defaultSettings.auth.jwks_stale_ms;
    expect(await authenticator.authenticate(known)).toMatchObject(unavailable);

    provider = providerWith(second);
    down = false;
    time.now += defaultSettings.auth.jwks_cooldown_ms;
    expect(await authenticator.authenticate(rotated)).toMatchObject(agent);
    await authenticator.close();
  });
});

describe("an opaque token", () => {
  const asSluice = () => ({
    introspection_url: `${issuer}/token/introspection`,
    introspection_client_id: "sluice",
    introspection_client_secret: clientSecret,
  });

  it("is what the issuer says it is, beside JWTs of the same issuer that are verified here", async () => {
    provider = providerWith(await signingKey("first"));
    const [opaque, jwt] = [await tokenFor(opaqueResource), await tokenFor(jwtResource)];
    asked.splice(0);
    const { authenticator } = start(asSluice());
    expect(await authenticator.authenticate(opaque)).toMatchObject(agent);
    expect(await authenticator.authenticate(opaque)).toMatchObject(agent);
    expect(asked).toEqual(["/token/introspection"]);
    expect(await authenticator.authenticate(jwt)).toMatchObject(agent);
    expect(asked).toEqual(["/token/introspection", "/.well-known/openid-configuration", "/jwks"]);
    expect(await authenticator.authenticate(`${opaque}x`)).toMatchObject({ reason: "inactive", status: 401 });
    await authenticator.close();
  });

  it("can't be judged with wrong credentials of ours, or while the issuer is down", async () => {
    provider = providerWith(await signingKey("first"));
    const opaque = await tokenFor(opaqueResource);
    const wrong = start({ ...asSluice(), introspection_client_secret: "wrong" });
    expect(await wrong.authenticator.authenticate(opaque)).toMatchObject(unavailable);
    expect(wrong.troubles).toEqual([`${issuer}/token/introspection answered 401`]);

    const right = start(asSluice());
    down = true;
    expect(await right.authenticator.authenticate(opaque)).toMatchObject(unavailable);
    down = false;
    expect(await right.authenticator.authenticate(opaque)).toMatchObject(agent);
    await Promise.all([wrong.authenticator.close(), right.authenticator.close()]);
  });
});
