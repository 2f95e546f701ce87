import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { defaultSettings } from "../settings/defaults.js";
import type { AuthFailureReason } from "./auth-failures.js";
import { createAuthenticator, tokenBytesMaxDefault } from "./authenticator.js";
import type { AuthenticatorSettings } from "./authenticator-settings.js";
import type { Fetch } from "./fetch-text.js";
import { neverExpiresMs } from "./identity.js";
import { mintToken } from "./mint-token.js";
import { allRights } from "./rights.js";

const secret = "0123456789abcdef0123456789abcdef";
const issuer = "https://id.example.com/realm";
const keysUrl = "https://keys.example.com/jwks";
const nowMs = 1_800_000_000_000;
const nowS = nowMs / 1000;
const skewMs = 5_000;

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaShort = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const hmac = (input: string, key: string | Buffer = secret, hash = "sha256") =>
  createHmac(hash, key).update(input).digest("base64url");
const hs = (header: object, claims: unknown, key: string | Buffer = secret) => {
  const input = `${encode({ alg: "HS256", ...header })}.${encode(claims)}`;
  return `${input}.${hmac(input, key)}`;
};
const asymmetric = (header: { alg: string; [name: string]: unknown }, claims: unknown, key: KeyObject) => {
  const input = `${encode(header)}.${encode(claims)}`;
  const hash = header.alg === "EdDSA" ? null : "sha256";
  const signature = sign(hash, Buffer.from(input), header.alg === "ES256" ? { key, dsaEncoding: "ieee-p1363" } : key);
  return `${input}.${signature.toString("base64url")}`;
};
const rs = (header: object, claims: unknown, key = rsa.privateKey) =>
  asymmetric({ alg: "RS256", kid: "rsa", ...header }, claims, key);
const good = { iss: issuer, aud: "sluice", sub: "alice", exp: nowS + 600 };
const but = (change: object) => ({ ...good, ...change });
const without = (name: keyof typeof good) => Object.fromEntries(Object.entries(good).filter(([key]) => key !== name));

const keySet = {
  keys: [
    { ...rsa.publicKey.export({ format: "jwk" }), kid: "rsa", alg: "RS256", use: "sig" },
    { ...ec.publicKey.export({ format: "jwk" }), kid: "ec", alg: "ES256" },
    { ...ed.publicKey.export({ format: "jwk" }), kid: "ed" },
    { ...rsaShort.publicKey.export({ format: "jwk" }), kid: "short" },
    { ...stranger.publicKey.export({ format: "jwk" }), kid: "for-encryption", use: "enc" },
    { kty: "oct", k: encode("a shared secret that got published"), kid: "oct", alg: "HS256" },
    { kty: "RSA", n: "AQAB", kid: "no-exponent" },
  ],
};

/** An issuer without a network: counts what it is asked for. */
function fakeIssuer(answers: Record<string, () => Response> = { [keysUrl]: () => Response.json(keySet) }) {
  const asked: string[] = [];
  const send: Fetch = async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    asked.push(url);
    const answer = answers[url];
    if (answer === undefined)
      throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ENOTFOUND" }) });
    return answer();
  };
  return { asked, send };
}

const settings = (change: Partial<AuthenticatorSettings> = {}): AuthenticatorSettings => ({
  ...defaultSettings.auth,
  hs256_secret: secret,
  issuer,
  jwks_url: keysUrl,
  audience: ["sluice", "sluice-eu"],
  clock_skew_ms: skewMs,
  ...change,
});

function authenticator(change: Partial<AuthenticatorSettings> = {}, from = fakeIssuer()) {
  const time = { now: 0, wall: nowMs };
  const failures: AuthFailureReason[] = [];
  const troubles: string[] = [];
  const made = createAuthenticator(settings(change), {
    clock: { now: () => time.now, wall: () => time.wall },
    fetch: from.send,
    onFailure: (reason) => failures.push(reason),
    onTrouble: (trouble) => troubles.push(trouble),
  });
  return { made, time, failures, troubles, asked: from.asked };
}

describe("tokens that are believed", () => {
  const cases: [what: string, token: string][] = [
    ["HS256", hs({}, good)],
    ["HS256 with any typ", hs({ typ: "something+jwt" }, good)],
    ["HS256 with a kid", hs({ kid: "rsa" }, good)],
    [
      "HS256 with keys in the header, which nobody reads",
      hs({ jwk: keySet.keys[0], jku: keysUrl, x5u: keysUrl, x5c: ["AA"] }, good),
    ],
    ["RS256", rs({}, good)],
    ["RS256 without kid", rs({ kid: undefined }, good)],
    ["RS256 with at+jwt", rs({ typ: "at+jwt" }, good)],
    [
      "RS256 with a stranger's key in the header, signed by the published one",
      rs({ jwk: stranger.publicKey.export({ format: "jwk" }) }, good),
    ],
    ["ES256", asymmetric({ alg: "ES256", kid: "ec" }, good, ec.privateKey)],
    ["EdDSA", asymmetric({ alg: "EdDSA", kid: "ed" }, good, ed.privateKey)],
    ["one of several audiences", hs({}, but({ aud: ["other", "sluice-eu"] }))],
    ["exp in the leeway", hs({}, but({ exp: nowS - 4 }))],
    ["nbf in the leeway", hs({}, but({ nbf: nowS + 5 }))],
    ["exp with a fraction", hs({}, but({ exp: nowS + 0.5 }))],
    ["sub of 256 characters", hs({}, but({ sub: "x".repeat(256) }))],
    ["sub with letters of the world", hs({}, but({ sub: "Ærøskøbing 東京 🦆" }))],
    ["sub that is a word of JavaScript", hs({}, but({ sub: "__proto__" }))],
    ["an odd jti, iat and azp, which nobody reads", hs({}, but({ jti: 7, iat: "yesterday", azp: null }))],
  ];
  it.each(cases)("%s", async (_what, token) => {
    const { made, failures } = authenticator();
    expect(await made.authenticate(token)).toMatchObject({ ok: true });
    expect(failures).toEqual([]);
  });

  it("say who, until when and with which rights", async () => {
    const { made } = authenticator();
    const token = hs({}, but({ scope: "events:publish", events: ["GPU_*"], clusters: ["c-1"] }));
    const rights = { events: ["GPU_*"], clusters: ["c-1"], publish: true, admin: false };
    const identity = { userId: "alice", expiresAtMs: (nowS + 600) * 1000, rights };
    expect(await made.authenticate(token)).toEqual({ ok: true, identity });
  });

  it("are good to the end of the leeway when already in it, and never past the last date", async () => {
    const { made } = authenticator();
    const outcome = async (exp: number) => made.authenticate(hs({}, but({ exp })));
    expect(await outcome(nowS - 4)).toMatchObject({ identity: { expiresAtMs: nowMs + 1_000 } });
    expect(await outcome(1e300)).toMatchObject({ identity: { expiresAtMs: neverExpiresMs } });
    expect(new Date(neverExpiresMs).toISOString()).toBe("9999-12-31T23:59:59.000Z");
  });

  it("may name any issuer and audience, or none, where none is configured", async () => {
    const { made } = authenticator({ issuer: null, audience: [] });
    expect(await made.authenticate(hs({}, without("iss")))).toMatchObject({ ok: true });
    expect(await made.authenticate(hs({}, but({ aud: 7, iss: ["x"] })))).toMatchObject({ ok: true });
  });
});

describe("tokens that are refused", () => {
  const unsigned = (alg: unknown) => `${encode({ alg })}.${encode(good)}.`;
  const publicPem = rsa.publicKey.export({ format: "pem", type: "spki" });
  const [h, c, s] = hs({}, good).split(".") as [string, string, string];
  const withInput = (header: unknown, claims: unknown) => {
    const input = `${encode(header)}.${encode(claims)}`;
    return `${input}.${hmac(input)}`;
  };
  const cases: [what: string, token: string, reason: AuthFailureReason][] = [
    ["none at all", "", "missing"],
    ["alg none", unsigned("none"), "algorithm_not_allowed"],
    ["alg None", unsigned("None"), "algorithm_not_allowed"],
    ["alg NONE", unsigned("NONE"), "algorithm_not_allowed"],
    ["alg nOnE with a signature", withInput({ alg: "nOnE" }, good), "algorithm_not_allowed"],
    ["alg none with a blank", unsigned("none "), "algorithm_not_allowed"],
    ["alg empty", unsigned(""), "algorithm_not_allowed"],
    ["alg null", unsigned(null), "malformed"],
    ["alg as a list", unsigned(["HS256"]), "malformed"],
    ["alg missing", `${encode({ typ: "JWT" })}.${c}.${s}`, "malformed"],
    ["alg hs256 in lower case", withInput({ alg: "hs256" }, good), "algorithm_not_allowed"],
    [
      "HS512, with our secret",
      (() => {
        const i = `${encode({ alg: "HS512" })}.${c}`;
        return `${i}.${hmac(i, secret, "sha512")}`;
      })(),
      "algorithm_not_allowed",
    ],
    ["PS256, which is not in the list", withInput({ alg: "PS256", kid: "rsa" }, good), "algorithm_not_allowed"],
    ["alg __proto__", withInput({ alg: "__proto__" }, good), "algorithm_not_allowed"],
    ["HS256 signed with the public key's PEM", hs({ kid: "rsa" }, good, publicPem), "bad_signature"],
    [
      "HS256 signed with the public key's DER",
      hs({ kid: "rsa" }, good, rsa.publicKey.export({ format: "der", type: "spki" })),
      "bad_signature",
    ],
    [
      "HS256 signed with a published oct key",
      hs({ kid: "oct" }, good, "a shared secret that got published"),
      "bad_signature",
    ],
    ["HS256 signed with another secret", hs({}, good, "x".repeat(32)), "bad_signature"],
    ["HS256 signed with an empty secret", hs({}, good, ""), "bad_signature"],
    ["RS256 with an HMAC for a signature", withInput({ alg: "RS256", kid: "rsa" }, good), "bad_signature"],
    ["RS256 by a stranger with our kid", rs({}, good, stranger.privateKey), "bad_signature"],
    [
      "RS256 by a stranger with its key as jwk",
      rs({ jwk: stranger.publicKey.export({ format: "jwk" }) }, good, stranger.privateKey),
      "bad_signature",
    ],
    [
      "RS256 by a stranger with its key as jwk, no kid",
      rs({ kid: undefined, jwk: stranger.publicKey.export({ format: "jwk" }) }, good, stranger.privateKey),
      "bad_signature",
    ],
    [
      "RS256 by a stranger with jku",
      rs({ kid: "evil", jku: "https://evil.example/jwks" }, good, stranger.privateKey),
      "unknown_key",
    ],
    [
      "RS256 by a stranger with x5u",
      rs({ kid: "evil", x5u: "https://evil.example/cert" }, good, stranger.privateKey),
      "unknown_key",
    ],
    ["RS256 by a stranger with x5c", rs({ kid: "evil", x5c: ["MIIB"] }, good, stranger.privateKey), "unknown_key"],
    ["RS256 with the kid of the EC key", rs({ kid: "ec" }, good), "unknown_key"],
    [
      "RS256 with a key that is for encryption",
      rs({ kid: "for-encryption" }, good, stranger.privateKey),
      "unknown_key",
    ],
    ["RS256 with 1,024 bits", rs({ kid: "short" }, good, rsaShort.privateKey), "unknown_key"],
    ["RS256 with a published key that is none", rs({ kid: "no-exponent" }, good), "unknown_key"],
    ["kid a path", rs({ kid: "../../../../dev/null" }, good), "unknown_key"],
    ["kid a URL", rs({ kid: "https://evil.example/key" }, good), "unknown_key"],
    ["kid __proto__", rs({ kid: "__proto__" }, good), "unknown_key"],
    ["kid constructor", rs({ kid: "constructor" }, good), "unknown_key"],
    ["kid with quotes", rs({ kid: "' OR 1=1 --" }, good), "unknown_key"],
    ["kid a number", rs({ kid: 0 }, good), "unknown_key"],
    ["kid null", rs({ kid: null }, good), "unknown_key"],
    ["kid an object", rs({ kid: { toString: "rsa" } }, good), "unknown_key"],
    ["kid with a NUL", rs({ kid: "rsa\0" }, good), "unknown_key"],
    ["crit", hs({ crit: ["exp"], exp: 1 }, good), "malformed"],
    ["crit b64, unencoded", hs({ crit: ["b64"], b64: false }, good), "malformed"],
    ["crit empty", hs({ crit: [] }, good), "malformed"],
    [
      "b64 without crit changes nothing of a wrong signature",
      hs({ b64: false }, good, "x".repeat(32)),
      "bad_signature",
    ],
    ["claims changed", `${h}.${encode(but({ sub: "root" }))}.${s}`, "bad_signature"],
    ["header changed", `${encode({ alg: "HS256", kid: "1" })}.${c}.${s}`, "bad_signature"],
    ["signature cut", `${h}.${c}.${s.slice(0, -4)}`, "bad_signature"],
    ["signature empty", `${h}.${c}.`, "bad_signature"],
    ["claims empty", `${h}..${s}`, "bad_signature"],
    ["two parts", `${h}.${c}`, "malformed"],
    ["four parts", `${h}.${c}.${s}.${s}`, "malformed"],
    ["five parts, as an encrypted one", `${h}.${c}.${s}.${s}.${s}`, "malformed"],
    ["header no JSON", `${encode("{alg:HS256}")}.${c}.${s}`, "malformed"],
    ["header a list", `${encode([])}.${c}.${s}`, "malformed"],
    ["header no base64url", `!!!.${c}.${s}`, "malformed"],
    ["an opaque token, with nobody to ask", "gho_16C7e42F292c6912E7710c838347Ae178B4a", "malformed"],
    ["claims no JSON", hs({}, "not json"), "malformed"],
    ["claims a list", hs({}, []), "malformed"],
    ["claims null", hs({}, null), "malformed"],
    [
      "claims bad UTF-8",
      (() => {
        const i = `${h}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]).toString("base64url")}`;
        return `${i}.${hmac(i)}`;
      })(),
      "malformed",
    ],
    ["a line end within", `${h}.${c}.${s}\r\nX-Evil: 1`, "malformed"],
    ["a NUL within", `${h}\0.${c}.${s}`, "malformed"],
    ["a blank within", `${h} .${c}.${s}`, "malformed"],
    ["beyond ASCII", `${h}.${c}.${s}é`, "malformed"],
    ["iss wrong", hs({}, but({ iss: "https://evil.example" })), "wrong_issuer"],
    ["iss with a slash more", hs({}, but({ iss: `${issuer}/` })), "wrong_issuer"],
    ["iss a list with the right one", hs({}, but({ iss: [issuer] })), "wrong_issuer"],
    ["iss null", hs({}, but({ iss: null })), "wrong_issuer"],
    ["iss missing", hs({}, without("iss")), "missing_claim"],
    ["iss missing, RS256", rs({}, without("iss")), "missing_claim"],
    ["aud wrong", hs({}, but({ aud: "other" })), "wrong_audience"],
    ["aud a longer word", hs({}, but({ aud: "sluice2" })), "wrong_audience"],
    ["aud empty", hs({}, but({ aud: [] })), "wrong_audience"],
    ["aud an object", hs({}, but({ aud: { sluice: true } })), "wrong_audience"],
    ["aud a list in a list", hs({}, but({ aud: [["sluice"]] })), "wrong_audience"],
    ["aud missing", hs({}, without("aud")), "missing_claim"],
    ["sub missing", hs({}, without("sub")), "missing_claim"],
    ["sub empty", hs({}, but({ sub: "" })), "bad_claim"],
    ["sub a number", hs({}, but({ sub: 7 })), "bad_claim"],
    ["sub null", hs({}, but({ sub: null })), "bad_claim"],
    ["sub a list", hs({}, but({ sub: ["alice"] })), "bad_claim"],
    ["sub of 257 characters", hs({}, but({ sub: "x".repeat(257) })), "bad_claim"],
    ["sub with a line end", hs({}, but({ sub: "alice\nlevel=error" })), "bad_claim"],
    ["sub with an escape", hs({}, but({ sub: "\u001b[31malice" })), "bad_claim"],
    ["sub with a line separator", hs({}, but({ sub: "a\u2028b" })), "bad_claim"],
    ["sub with half a surrogate", hs({}, but({ sub: "a\ud800" })), "bad_claim"],
    ["exp missing", hs({}, without("exp")), "missing_claim"],
    ["exp a string", hs({}, but({ exp: String(nowS + 600) })), "bad_claim"],
    ["exp null", hs({}, but({ exp: null })), "bad_claim"],
    ["exp 1e999", hs({}, JSON.stringify(good).replace(/"exp":\d+/, '"exp":1e999')), "bad_claim"],
    ["exp true", hs({}, but({ exp: true })), "bad_claim"],
    ["exp over", hs({}, but({ exp: nowS - 60 })), "expired"],
    ["exp at the end of the leeway", hs({}, but({ exp: nowS - 5 })), "expired"],
    ["exp below 0", hs({}, but({ exp: -1 })), "expired"],
    ["exp 0", hs({}, but({ exp: 0 })), "expired"],
    ["exp over, RS256", rs({}, but({ exp: nowS - 60 })), "expired"],
    ["nbf ahead", hs({}, but({ nbf: nowS + 60 })), "not_yet_valid"],
    ["nbf one past the leeway", hs({}, but({ nbf: nowS + 6 })), "not_yet_valid"],
    ["nbf a string", hs({}, but({ nbf: "0" })), "bad_claim"],
    ["nbf null", hs({}, but({ nbf: null })), "bad_claim"],
    ["events malformed", hs({}, but({ events: "GPU_*" })), "bad_claim"],
    ["clusters malformed", hs({}, but({ clusters: [1] })), "bad_claim"],
    ["scope malformed", hs({}, but({ scope: { admin: true } })), "bad_claim"],
    ["claims inherited from __proto__", hs({}, `{"__proto__":${JSON.stringify(good)}}`), "missing_claim"],
  ];
  it.each(cases)("%s", async (_what, token, reason) => {
    const { made, failures, asked, troubles } = authenticator();
    expect(await made.authenticate(token)).toEqual({ ok: false, reason, status: 401 });
    expect(failures).toEqual([reason]);
    expect(new Set(asked).size).toBeLessThanOrEqual(1);
    for (const url of asked) expect(url).toBe(keysUrl);
    expect(troubles).toEqual([]);
  });

  it("by their length alone, one byte over the limit, before anything is read", async () => {
    const { made } = authenticator();
    const fill = tokenBytesMaxDefault - hs({}, but({ x: "" })).length;
    // Base64url grows by four characters with every three.
    const longest = hs({}, but({ x: "y".repeat(Math.floor(fill / 4) * 3) }));
    expect(longest.length).toBeLessThanOrEqual(tokenBytesMaxDefault);
    expect(await made.authenticate(longest)).toMatchObject({ ok: true });
    expect(await made.authenticate("a".repeat(tokenBytesMaxDefault))).toMatchObject({ reason: "malformed" });
    expect(await made.authenticate("a".repeat(tokenBytesMaxDefault + 1))).toMatchObject({
      reason: "too_large",
      status: 401,
    });
  });

  it("by a limit of the settings", async () => {
    const clock = { now: () => 0, wall: () => nowMs };
    const token = hs({}, good);
    const of = (tokenBytesMax: number) => createAuthenticator(settings(), { clock, tokenBytesMax });
    expect(await of(token.length).authenticate(token)).toMatchObject({ ok: true });
    expect(await of(token.length - 1).authenticate(token)).toMatchObject({ reason: "too_large" });
  });

  it("as long as the list of algorithms lacks theirs", async () => {
    const { made } = authenticator({ algorithms: ["ES256"] });
    expect(await made.authenticate(hs({}, good))).toMatchObject({ reason: "algorithm_not_allowed" });
    expect(await made.authenticate(rs({}, good))).toMatchObject({ reason: "algorithm_not_allowed" });
  });

  it("HS256 without a secret, and the others without published keys", async () => {
    const published = authenticator({ hs256_secret: null });
    expect(await published.made.authenticate(hs({}, good, publicPem))).toMatchObject({
      reason: "algorithm_not_allowed",
    });
    const shared = authenticator({ jwks_url: null, issuer: "not-a-url" });
    expect(await shared.made.authenticate(rs({}, good))).toMatchObject({ reason: "algorithm_not_allowed" });
    expect(shared.asked).toEqual([]);
  });
});

describe("what was verified before", () => {
  it("is not verified again while it is good", async () => {
    const { made, time, asked } = authenticator();
    const token = rs({}, but({ exp: nowS + 60 }));
    const first = await made.authenticate(token);
    const second = await made.authenticate(token);
    expect(second).toEqual(first);
    expect(first.ok && second.ok && first.identity === second.identity).toBe(true);
    expect(asked).toEqual([keysUrl]);
    time.wall += 60_000 + skewMs;
    expect(await made.authenticate(token)).toMatchObject({ reason: "expired" });
  });

  it("is not believed when the issuer has taken its key back", async () => {
    let keys = keySet.keys;
    const from = fakeIssuer({ [keysUrl]: () => Response.json({ keys }) });
    const { made, time } = authenticator({}, from);
    const token = rs({}, good);
    expect(await made.authenticate(token)).toMatchObject({ ok: true });
    keys = keys.filter((key) => key.kid !== "rsa");
    time.now += 600_001;
    expect(await made.authenticate(token)).toMatchObject({ reason: "unknown_key" });
  });

  it("without kid, is verified with the issuer's new key once the old one does not fit", async () => {
    const of = (key: KeyObject) => Response.json({ keys: [{ ...key.export({ format: "jwk" }), alg: "RS256" }] });
    let published = rsa.publicKey;
    const { made, time, asked } = authenticator({}, fakeIssuer({ [keysUrl]: () => of(published) }));
    expect(await made.authenticate(rs({ kid: undefined }, good))).toMatchObject({ ok: true });
    published = stranger.publicKey;
    time.now += 1_000;
    expect(await made.authenticate(rs({ kid: undefined }, good, stranger.privateKey))).toMatchObject({ ok: true });
    expect(await made.authenticate(rs({ kid: undefined }, good))).toMatchObject({ reason: "bad_signature" });
    expect(asked).toHaveLength(2);
  });

  it("is verified once for all who bring it at the same time", async () => {
    const { made, asked } = authenticator();
    const token = rs({}, good);
    const outcomes = await Promise.all(Array.from({ length: 50 }, async () => made.authenticate(token)));
    expect(new Set(outcomes.map((outcome) => outcome.ok && outcome.identity)).size).toBe(1);
    expect(asked).toHaveLength(1);
  });

  it("is counted as a failure once for each who brings it", async () => {
    const { made, failures } = authenticator();
    await Promise.all(Array.from({ length: 3 }, async () => made.authenticate(hs({}, good, "x"))));
    expect(failures).toEqual(["bad_signature", "bad_signature", "bad_signature"]);
  });
});

describe("an issuer that can't be asked", () => {
  it("is a 503 with a time to try again, and trouble told without the token", async () => {
    const { made, troubles, failures } = authenticator({}, fakeIssuer({}));
    const token = rs({}, good);
    expect(await made.authenticate(token)).toEqual({
      ok: false,
      reason: "issuer_unavailable",
      status: 503,
      retryAfterMs: 1_000,
    });
    expect(failures).toEqual(["issuer_unavailable"]);
    expect(troubles).toEqual(["https://keys.example.com/jwks failed (ENOTFOUND)"]);
  });

  it("does not matter to HS256", async () => {
    const { made, asked } = authenticator({ jwks_url: null }, fakeIssuer({}));
    expect(await made.authenticate(hs({}, good))).toMatchObject({ ok: true });
    expect(asked).toEqual([]);
    expect(await made.authenticate(rs({}, good))).toMatchObject({ reason: "issuer_unavailable" });
    expect(asked[0]).toBe(`${issuer}/.well-known/openid-configuration`);
  });
});

describe("createAuthenticator", () => {
  const clock = { now: () => 0, wall: () => nowMs };
  const bare = { issuer: null, jwks_url: null, hs256_secret: null };

  it("in dev mode lets everybody be dev, and warns", async () => {
    const made = createAuthenticator(settings({ ...bare, dev: true }), { clock });
    const identity = { userId: "dev", expiresAtMs: neverExpiresMs, rights: allRights };
    expect(await made.authenticate("")).toEqual({ ok: true, identity });
    expect(await made.authenticate("anything")).toEqual({ ok: true, identity });
    expect(made.warnings).toEqual([expect.stringContaining("auth.dev")]);
    await made.close();
  });

  const refusals: [what: string, change: Partial<AuthenticatorSettings>, message: RegExp][] = [
    ["nothing to authenticate with", bare, /nobody can authenticate/],
    ["an issuer that is no URL is nothing to authenticate with", { ...bare, issuer: "us" }, /nobody can authenticate/],
    ["an empty secret", { hs256_secret: "" }, /hs256_secret is empty/],
    ["introspection without credentials", { introspection_url: "https://x.example/i" }, /introspection_client_id/],
    ["a key set that is no URL", { jwks_url: "keys" }, /jwks_url/],
    ["a key set in a file", { jwks_url: "file:///etc/passwd" }, /jwks_url/],
    ["algorithm none", { algorithms: ["none"] }, /algorithm/],
    ["algorithm HS512", { algorithms: ["HS512"] }, /algorithm/],
    ["a mapping for nobody", { mapping: [{ events: ["A"] }] }, /mapping\[0\]/],
  ];
  it.each(refusals)("refuses %s", (_what, change, message) => {
    expect(() => createAuthenticator(settings(change), { clock })).toThrow(message);
  });

  const warnings: [what: string, change: Partial<AuthenticatorSettings>, warnings: RegExp[]][] = [
    ["nothing when all is well", {}, []],
    ["a secret of 32 bytes is long enough", { ...bare, hs256_secret: "x".repeat(32) }, []],
    ["a secret of 31 bytes", { ...bare, hs256_secret: "x".repeat(31) }, [/shorter than 32 bytes/]],
    ["a secret that no algorithm uses", { algorithms: ["RS256"] }, [/lacks HS256/]],
    ["keys that no algorithm uses", { algorithms: ["HS256"] }, [/only HS256/]],
    ["any issuer", { issuer: null }, [/auth.issuer/]],
    ["any audience", { audience: [] }, [/auth.audience/]],
  ];
  it.each(warnings)("warns of %s", (_what, change, expected) => {
    const made = createAuthenticator(settings(change), { clock });
    expect(made.warnings).toEqual(expected.map((pattern) => expect.stringMatching(pattern) as unknown));
    for (const warning of made.warnings) expect(warning).not.toContain("xxx");
  });

  it("believes a short secret all the same", async () => {
    const made = createAuthenticator(settings({ ...bare, audience: [], hs256_secret: "short" }), { clock });
    expect(await made.authenticate(await mintToken("short", { sub: "a", ttlMs: 1_000 }, clock))).toMatchObject({
      ok: true,
    });
  });
});
