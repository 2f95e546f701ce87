import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { defaultSettings } from "../settings/defaults.js";
import { createAuthenticator } from "./authenticator.js";
import type { AuthenticatorSettings } from "./authenticator-settings.js";
import { mintToken } from "./mint-token.js";

const nowMs = 1_800_000_000_000;
const nowS = nowMs / 1000;
const cacheMs = 30_000;
const clientId = "sluice service";
const clientSecret = "p:s+ä";

/** An issuer's introspection endpoint: real HTTP; `answer` decides what a token stands for. */
async function endpoint(answer: (token: string) => unknown, change: Partial<AuthenticatorSettings> = {}) {
  const asked: { token: string; request: IncomingMessage; body: string }[] = [];
  const state = { status: 200, held: undefined as Promise<void> | undefined };
  const server = createServer((request, response) => {
    void (async () => {
      const body = await text(request);
      const token = new URLSearchParams(body).get("token") ?? "";
      asked.push({ token, request, body });
      await state.held;
      const answered = answer(token);
      response.writeHead(state.status, { "content-type": "application/json" });
      response.end(typeof answered === "string" ? answered : JSON.stringify(answered));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const time = { now: 0, wall: nowMs };
  const troubles: string[] = [];
  const authenticator = createAuthenticator(
    {
      ...defaultSettings.auth,
      introspection_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect?tenant=1`,
      introspection_client_id: clientId,
      introspection_client_secret: clientSecret,
      introspection_cache_ms: cacheMs,
      ...change,
    },
    { clock: { now: () => time.now, wall: () => time.wall }, onTrouble: (trouble) => troubles.push(trouble) },
  );
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(async () => {
    await authenticator.close();
    stop();
  });
  const pass = (ms: number) => {
    time.now += ms;
    time.wall += ms;
  };
  return { asked, state, time, pass, troubles, authenticator, stop };
}

/** Holds the issuer's answers back until it is opened. */
function gateOf() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

const active = (more: object = {}) => ({ active: true, sub: "alice", exp: nowS + 600, ...more });

describe("an opaque token", () => {
  it("is asked about as RFC 7662 says, with our credentials", async () => {
    const { asked, authenticator } = await endpoint(() => active({ scope: "events:publish", events: ["A"] }));
    expect(await authenticator.authenticate("opaque+/=")).toEqual({
      ok: true,
      identity: {
        userId: "alice",
        expiresAtMs: (nowS + 600) * 1000,
        rights: { events: ["A"], clusters: null, publish: true, admin: false },
      },
    });
    expect(asked).toHaveLength(1);
    expect(asked[0]?.request).toMatchObject({ method: "POST", url: "/introspect?tenant=1" });
    expect(asked[0]?.request.headers).toMatchObject({
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
    });
    expect(asked[0]?.body).toBe("token=opaque%2B%2F%3D&token_type_hint=access_token");
    const credentials = asked[0]?.request.headers.authorization?.replace("Basic ", "") ?? "";
    expect(Buffer.from(credentials, "base64").toString()).toBe("sluice+service:p%3As%2B%C3%A4");
  });

  const users: [what: string, answer: object, userId: string][] = [
    ["sub", { sub: "s", username: "u", client_id: "c" }, "s"],
    ["username", { username: "u", client_id: "c" }, "u"],
    ["client_id, of client credentials", { client_id: "c" }, "c"],
  ];
  it.each(users)("names its user by %s", async (_what, answer, userId) => {
    const { authenticator } = await endpoint(() => ({ active: true, exp: nowS + 60, ...answer }));
    expect(await authenticator.authenticate("t")).toMatchObject({ ok: true, identity: { userId } });
  });

  const refused: [what: string, answer: unknown, reason: string][] = [
    ["not active", { active: false }, "inactive"],
    ["not active, whatever else is said", { ...active(), active: false }, "inactive"],
    ["over", active({ exp: nowS - 60 }), "expired"],
    ["not valid yet", active({ nbf: nowS + 60 }), "not_yet_valid"],
    ["of another issuer", active({ iss: "https://evil.example" }), "wrong_issuer"],
    ["for another audience", active({ aud: "other" }), "wrong_audience"],
    ["for nobody in particular", active({ aud: undefined }), "missing_claim"],
    ["of nobody", active({ sub: undefined }), "missing_claim"],
    ["of an empty user", active({ sub: "", username: "alice" }), "bad_claim"],
    ["with an expiry in words", active({ exp: "never" }), "bad_claim"],
    ["with malformed rights", active({ events: "*" }), "bad_claim"],
  ];
  it.each(refused)("is refused when it is %s", async (_what, answer, reason) => {
    const audience = typeof answer === "object" && answer !== null && !("aud" in answer) ? { aud: ["sluice"] } : {};
    const { authenticator } = await endpoint(() => ({ ...audience, ...(answer as object) }), {
      issuer: "our-issuer",
      audience: ["sluice"],
    });
    expect(await authenticator.authenticate("t")).toEqual({ ok: false, reason, status: 401 });
  });

  it("needs no iss, for the configuration says whose endpoint it is", async () => {
    const { authenticator } = await endpoint(() => active(), { issuer: "our-issuer" });
    expect(await authenticator.authenticate("t")).toMatchObject({ ok: true });
  });

  it("without exp is good for the cache time from the answer on", async () => {
    const { authenticator, pass, asked } = await endpoint(() => active({ exp: undefined }));
    const expiresAtMs = nowMs + cacheMs;
    expect(await authenticator.authenticate("t")).toMatchObject({ identity: { expiresAtMs } });
    pass(cacheMs - 1);
    expect(await authenticator.authenticate("t")).toMatchObject({ identity: { expiresAtMs } });
    pass(1);
    expect(await authenticator.authenticate("t")).toMatchObject({ identity: { expiresAtMs: expiresAtMs + cacheMs } });
    expect(asked).toHaveLength(2);
  });
});

describe("an answer", () => {
  it("is believed for the cache time, and a revocation seen after it", async () => {
    let revoked = false;
    const { authenticator, asked, pass } = await endpoint(() => (revoked ? { active: false } : active()));
    expect(await authenticator.authenticate("t")).toMatchObject({ ok: true });
    revoked = true;
    pass(cacheMs - 1);
    expect(await authenticator.authenticate("t")).toMatchObject({ ok: true });
    expect(asked).toHaveLength(1);
    pass(1);
    expect(await authenticator.authenticate("t")).toMatchObject({ reason: "inactive" });
    expect(asked).toHaveLength(2);
  });

  it("is never believed past exp", async () => {
    const { authenticator, pass } = await endpoint(() => active({ exp: nowS + 10 }), { clock_skew_ms: 0 });
    expect(await authenticator.authenticate("t")).toMatchObject({ ok: true });
    pass(10_000);
    expect(await authenticator.authenticate("t")).toMatchObject({ reason: "expired" });
  });

  it("of not active is believed for two seconds", async () => {
    const { authenticator, asked, pass } = await endpoint(() => ({ active: false }));
    for (const ms of [0, 1_999, 1]) {
      pass(ms);
      expect(await authenticator.authenticate("t")).toMatchObject({ reason: "inactive" });
    }
    expect(asked).toHaveLength(2);
  });

  it("is asked for each time when the cache time is 0", async () => {
    const { authenticator, asked } = await endpoint(() => active(), { introspection_cache_ms: 0 });
    await authenticator.authenticate("t");
    await authenticator.authenticate("t");
    expect(asked).toHaveLength(2);
  });

  it("is shared by all who ask at the same time, each token for itself", async () => {
    const { authenticator, asked } = await endpoint((token) => active({ sub: `user-${token}` }));
    const tokens = Array.from({ length: 30 }, (_, i) => `t${i % 3}`);
    const outcomes = await Promise.all(tokens.map(async (token) => authenticator.authenticate(token)));
    for (const [i, outcome] of outcomes.entries())
      expect(outcome).toMatchObject({ identity: { userId: `user-t${i % 3}` } });
    expect(asked.map(({ token }) => token).sort()).toEqual(["t0", "t1", "t2"]);
  });
});

describe("an issuer that gives no answer of use", () => {
  const answers: [what: string, status: number, answer: unknown, trouble: RegExp][] = [
    ["401: our credentials are wrong", 401, { error: "invalid_client" }, /answered 401$/],
    ["500", 500, "oops", /answered 500$/],
    ["no JSON", 200, "<html>", /no JSON object/],
    ["no object", 200, [true], /no JSON object/],
    ["no active", 200, { sub: "alice" }, /no JSON object that has a boolean active/],
    ["active as a word", 200, active({ active: "true" }), /boolean active/],
    ["too much", 200, active({ fill: "x".repeat(65_536) }), /more than 65536 bytes/],
  ];
  it.each(answers)("with %s is a 503, not kept", async (_what, status, answer, trouble) => {
    let down = true;
    const { authenticator, state, troubles, pass } = await endpoint(() => (down ? answer : active()));
    state.status = status;
    expect(await authenticator.authenticate("opaque-token")).toEqual({
      ok: false,
      reason: "issuer_unavailable",
      status: 503,
      retryAfterMs: 1_000,
    });
    expect(troubles).toEqual([expect.stringMatching(trouble)]);
    expect(troubles[0]).not.toMatch(/opaque|tenant|p:s/);
    down = false;
    state.status = 200;
    pass(1);
    expect(await authenticator.authenticate("opaque-token")).toMatchObject({ ok: true });
  });

  it("because it is gone is a 503, while what it said before is believed", async () => {
    const { authenticator, stop, troubles } = await endpoint(() => active());
    expect(await authenticator.authenticate("known")).toMatchObject({ ok: true });
    stop();
    expect(await authenticator.authenticate("other")).toMatchObject({ reason: "issuer_unavailable", status: 503 });
    expect(await authenticator.authenticate("known")).toMatchObject({ ok: true });
    expect(troubles).toEqual([expect.stringMatching(/failed \(ECONNREFUSED\)$/)]);
  });

  it("but is slow is asked about 256 tokens at once, and no more", async () => {
    const gate = gateOf();
    const { authenticator, asked, state } = await endpoint(() => active());
    state.held = gate.opened;
    const first = Array.from({ length: 256 }, async (_, i) => authenticator.authenticate(`t${i}`));
    const again = authenticator.authenticate("t0");
    expect(await authenticator.authenticate("one-more")).toMatchObject({
      reason: "issuer_unavailable",
      retryAfterMs: 1_000,
    });
    gate.open();
    for (const outcome of await Promise.all([...first, again])) expect(outcome).toMatchObject({ ok: true });
    expect(asked).toHaveLength(256);
    expect(await authenticator.authenticate("one-more")).toMatchObject({ ok: true });
  });

  it("is left when the service closes, without trouble", async () => {
    const gate = gateOf();
    const { authenticator, state, troubles } = await endpoint(() => active());
    state.held = gate.opened;
    const asking = authenticator.authenticate("t");
    await authenticator.close();
    expect(await asking).toMatchObject({ reason: "issuer_unavailable" });
    expect(troubles).toEqual([]);
    gate.open();
  });
});

describe("a JWT", () => {
  const clock = { now: () => 0, wall: () => nowMs };
  const secret = "0123456789abcdef0123456789abcdef";

  it("is asked about as well where only introspection is configured", async () => {
    const { authenticator, asked } = await endpoint(() => active());
    const token = await mintToken(secret, { sub: "bob", ttlMs: 60_000 }, clock);
    expect(await authenticator.authenticate(token)).toMatchObject({ identity: { userId: "alice" } });
    expect(asked).toHaveLength(1);
  });

  it("is verified here, and never sent anywhere, where it can be", async () => {
    const { authenticator, asked } = await endpoint(() => active(), { hs256_secret: secret });
    const token = await mintToken(secret, { sub: "bob", ttlMs: 60_000 }, clock);
    expect(await authenticator.authenticate(token)).toMatchObject({ identity: { userId: "bob" } });
    const forged = await mintToken(secret.replace("0", "1"), { sub: "bob", ttlMs: 60_000 }, clock);
    expect(await authenticator.authenticate(forged)).toMatchObject({ reason: "bad_signature" });
    expect(asked).toEqual([]);
    expect(await authenticator.authenticate("v2.local.opaque")).toMatchObject({ identity: { userId: "alice" } });
  });
});
