import { describe, expect, it } from "vitest";
import type { Fetch } from "./fetch-text.js";
import { keysAt, keysOfIssuer, keySetBytesMax } from "./key-source.js";

const issuer = "https://id.example.com/realm";
const discoveryUrl = `${issuer}/.well-known/openid-configuration`;
const jwksUri = "https://keys.example.com/jwks";
const keySet = '{"keys":[]}';

function issuerWith(answers: Record<string, () => Response>) {
  const asked: string[] = [];
  const send: Fetch = async (input, init) => {
    const url = input instanceof URL ? input.href : "";
    expect(init).toMatchObject({ method: "GET", redirect: "manual" });
    asked.push(url);
    return answers[url]?.() ?? new Response("", { status: 404 });
  };
  return { asked, send };
}

const document = (members: object) => ({
  [discoveryUrl]: () => Response.json(members),
  [jwksUri]: () => new Response(keySet),
});
const { signal } = new AbortController();
const maxAgeMs = 1_000;

describe("keysOfIssuer", () => {
  it("reads the document once for many fetches, and anew when it is old or the keys fail", async () => {
    let status = 200;
    let now = 0;
    const { asked, send } = issuerWith({
      ...document({ issuer, jwks_uri: jwksUri }),
      [jwksUri]: () => new Response(keySet, { status }),
    });
    const source = keysOfIssuer(issuer, send, () => now, maxAgeMs);
    expect(await source(signal)).toEqual({ ok: true, text: keySet });
    expect(await source(signal)).toEqual({ ok: true, text: keySet });
    expect(asked).toEqual([discoveryUrl, jwksUri, jwksUri]);
    now = maxAgeMs + 1;
    await source(signal);
    expect(asked.slice(3)).toEqual([discoveryUrl, jwksUri]);
    status = 500;
    expect(await source(signal)).toEqual({ ok: false, trouble: `${jwksUri} answered 500` });
    status = 200;
    expect(await source(signal)).toMatchObject({ ok: true });
    expect(asked.slice(5)).toEqual([jwksUri, discoveryUrl, jwksUri]);
  });

  it("asks an issuer with a slash at its end at the right place (Discovery §4)", async () => {
    const { send } = issuerWith(document({ issuer: `${issuer}/`, jwks_uri: jwksUri }));
    expect(await keysOfIssuer(`${issuer}/`, send, () => 0, maxAgeMs)(signal)).toMatchObject({ ok: true });
  });

  const faults: [what: string, document: unknown, trouble: RegExp][] = [
    ["another issuer", { issuer: "https://evil.example", jwks_uri: jwksUri }, /names another issuer/],
    ["an issuer with a slash more", { issuer: `${issuer}/`, jwks_uri: jwksUri }, /names another issuer/],
    ["no issuer", { jwks_uri: jwksUri }, /names another issuer/],
    ["no jwks_uri", { issuer }, /has no jwks_uri/],
    ["a jwks_uri that is no URL", { issuer, jwks_uri: "/jwks" }, /has no jwks_uri/],
    ["a jwks_uri that is no string", { issuer, jwks_uri: [jwksUri] }, /has no jwks_uri/],
    ["a jwks_uri in the clear", { issuer, jwks_uri: "http://keys.example.com/jwks" }, /not https/],
    ["a jwks_uri in a file", { issuer, jwks_uri: "file:///etc/passwd" }, /not https/],
    ["a list", [issuer], /is no JSON object/],
    ["null", null, /is no JSON object/],
  ];
  it.each(faults)("believes no document with %s", async (_what, members, trouble) => {
    const { asked, send } = issuerWith({ [discoveryUrl]: () => Response.json(members) });
    const answer = await keysOfIssuer(issuer, send, () => 0, maxAgeMs)(signal);
    expect(answer).toEqual({ ok: false, trouble: expect.stringMatching(trouble) as unknown });
    expect(asked).toEqual([discoveryUrl]);
  });

  it("tells when there is no document, or one that is no JSON", async () => {
    const missing = keysOfIssuer(issuer, issuerWith({}).send, () => 0, maxAgeMs);
    expect(await missing(signal)).toEqual({ ok: false, trouble: `${discoveryUrl} answered 404` });
    const html = issuerWith({ [discoveryUrl]: () => new Response("<html>") });
    expect(await keysOfIssuer(issuer, html.send, () => 0, maxAgeMs)(signal)).toMatchObject({ trouble: /is no JSON/ });
  });

  it("takes keys in the clear from an issuer in the clear", async () => {
    const local = "http://127.0.0.1:9";
    const { send } = issuerWith({
      [`${local}/.well-known/openid-configuration`]: () => Response.json({ issuer: local, jwks_uri: `${local}/jwks` }),
      [`${local}/jwks`]: () => new Response(keySet),
    });
    expect(await keysOfIssuer(local, send, () => 0, maxAgeMs)(signal)).toMatchObject({ ok: true });
  });
});

describe("keysAt", () => {
  it("takes a set at the limit and none over it", async () => {
    const of = async (bytes: number) =>
      keysAt(new URL(jwksUri), issuerWith({ [jwksUri]: () => new Response("x".repeat(bytes)) }).send)(signal);
    expect(await of(keySetBytesMax)).toMatchObject({ ok: true });
    expect(await of(keySetBytesMax + 1)).toMatchObject({ ok: false });
  });

  it("leaves a secret in the query out of what it tells", async () => {
    const url = new URL(`${jwksUri}?key=s3cret`);
    expect(await keysAt(url, issuerWith({}).send)(signal)).toEqual({ ok: false, trouble: `${jwksUri} answered 404` });
  });
});
