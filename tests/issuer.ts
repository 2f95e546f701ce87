// A real identity provider (oidc-provider) whose signing keys are the test's: it can change them, and be down.
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import Provider from "oidc-provider";

export const audience = "https://sluice.example";

/** One signing key. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  readonly publicJwk: JWK;
  /** PEM of the public key. */
  readonly publicPem: string;
}

/** A new RS256 key. */
export async function signingKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
  return { kid, privateKey, jwk, publicJwk: await exportJWK(publicKey), publicPem: await exportSPKI(publicKey) };
}

/** Signs any header and claims with a key. */
export async function signWith(
  key: SigningKey,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const signer = new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: key.kid, ...header });
  return signer.sign(key.privateKey);
}

export interface Issuer extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  isDown: boolean;
  /** Publishes these keys from now on; the first one signs. */
  publish(...keys: readonly SigningKey[]): void;
  /** An access token as a client gets it. */
  login(): Promise<string>;
}

function providerOf(issuer: string, keys: readonly SigningKey[]): RequestListener {
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
    jwks: { keys: keys.map(({ jwk }) => jwk) },
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

/** Starts one. */
export async function startIssuer(...keys: readonly SigningKey[]): Promise<Issuer> {
  const asked: string[] = [];
  let provider: RequestListener = () => {};
  const http = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (issuer.isDown) request.socket.destroy();
    else provider(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const issuer: Issuer = {
    url,
    asked,
    isDown: false,
    publish: (...published) => {
      provider = providerOf(url, published);
    },
    login: async () => {
      const response = await fetch(`${url}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from("agent:agents-secret").toString("base64")}` },
        body: new URLSearchParams({ grant_type: "client_credentials", resource: audience }),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    },
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
    },
  };
  issuer.publish(...keys);
  return issuer;
}
