// Where published keys are fetched from: a fixed URL, or what the issuer's discovery document names (OpenID Connect
// Discovery 1.0 §4).
import { isClaims } from "./claims.js";
import { fetchText, type Fetch, type TextResponse } from "./fetch-text.js";

/** Fetches the text of a key set. */
export type KeySource = (signal: AbortSignal) => Promise<TextResponse>;

/** Longest key set or discovery document, bytes: some hundred keys with their certificate chains. */
export const keySetBytesMax = 524_288;

/** The key set at `url`. */
export function keysAt(url: URL, send: Fetch): KeySource {
  return async (signal) => {
    const headers = { accept: "application/jwk-set+json, application/json" };
    const answer = await fetchText(send, { url, method: "GET", headers, bytesMax: keySetBytesMax, signal });
    return answer.ok ? answer : { ok: false, trouble: `${url.origin}${url.pathname} ${answer.trouble}` };
  };
}

/**
 * The key set of `issuer`, at the `jwks_uri` of its discovery document. The document is read anew after a fetch of the
 * keys failed, or when it is older than `maxAgeMs` by `now`.
 */
export function keysOfIssuer(issuer: string, send: Fetch, now: () => number, maxAgeMs: number): KeySource {
  let known: { readonly source: KeySource; readonly at: number } | undefined;
  return async (signal) => {
    if (known === undefined || now() - known.at > maxAgeMs) {
      const found = await discoverKeys(issuer, send, signal);
      if (!found.ok) return found;
      known = { source: keysAt(found.url, send), at: now() };
    }
    const answer = await known.source(signal);
    if (!answer.ok) known = undefined;
    return answer;
  };
}

type Discovery = { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly trouble: string };

async function discoverKeys(issuer: string, send: Fetch, signal: AbortSignal): Promise<Discovery> {
  const url = new URL(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  const headers = { accept: "application/json" };
  const answer = await fetchText(send, { url, method: "GET", headers, bytesMax: keySetBytesMax, signal });
  const fault = (trouble: string): Discovery => ({ ok: false, trouble: `${url.origin}${url.pathname} ${trouble}` });
  if (!answer.ok) return fault(answer.trouble);
  const document = parseObject(answer.text);
  if (document === undefined) return fault("is no JSON object");
  // Discovery §4.3: exactly equal, or a host could speak for another issuer.
  if (document["issuer"] !== issuer) return fault("names another issuer than auth.issuer");
  const jwksUri = document["jwks_uri"];
  if (typeof jwksUri !== "string" || !URL.canParse(jwksUri)) return fault("has no jwks_uri");
  const keysUrl = new URL(jwksUri);
  if (keysUrl.protocol !== "https:" && keysUrl.protocol !== url.protocol)
    return fault("has a jwks_uri that is not https");
  return { ok: true, url: keysUrl };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isClaims(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
