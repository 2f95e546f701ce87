import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { scrub, scrubbed } from "./scrub.js";

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
const opaque = "2YotnFZFEjr1zCsicMWpAA";

describe("scrub", () => {
  it.each([
    ["a JWT", `refused ${jwt}!`, `refused ${scrubbed}!`],
    ["a JWE", `${jwt}.x.y`, scrubbed],
    ["a JWT that was cut off", jwt.slice(0, 20), scrubbed],
    ["a bearer", `Authorization: Bearer ${opaque}`, `Authorization: Bearer ${scrubbed}`],
    ["another scheme", "authorization: Basic dXNlcjpwYXNz", `authorization: Basic ${scrubbed}`],
    ["the seed's subprotocol", `bearer, ${opaque}`, `bearer, ${scrubbed}`],
    [
      "Kubernetes' subprotocol",
      `base64url.bearer.authorization.k8s.io.${opaque}`,
      `base64url.bearer.authorization.k8s.io.${scrubbed}`,
    ],
    ["a query", `/ws?token=${opaque}&policy=replay`, `/ws?token=${scrubbed}&policy=replay`],
    ["a ticket", `/ws?TICKET=${opaque}#x`, `/ws?TICKET=${scrubbed}#x`],
    ["a form", `access_token=${opaque}&client_secret=x`, `access_token=${scrubbed}&client_secret=${scrubbed}`],
    ["a JSON member", `{"token":"${opaque}","a":1}`, `{"token":"${scrubbed}","a":1}`],
    ["a JSON member with escapes", `{"password" : "a\\nb\\\\c"}`, `{"password" : "${scrubbed}"}`],
    ["JSON in JSON", `{"body":"{\\"token\\":\\"${opaque}\\"}"}`, `{"body":"{\\"token\\":\\"${scrubbed}\\"}"}`],
    ["a URL's password", "https://me:hunter2@idp.example/", `https://${scrubbed}@idp.example/`],
    ["a JWT after an escaped line end", `{"msg":"got\\n${jwt}"}`, `{"msg":"got\\n${scrubbed}"}`],
  ])("takes out %s", (_, text, expected) => {
    expect(scrub(text)).toBe(expected);
  });

  it.each([
    "",
    "listening on http://127.0.0.1:8081/ws",
    "auth.ticket_ttl_ms is 5",
    "tokens expire",
    '{"type":"ticket"}',
    "a@b.example",
  ])("leaves %j", (text) => {
    expect(scrub(text)).toBe(text);
  });

  it("leaves JSON that it was JSON, and no token in it, wherever tokens stand", () => {
    const carrier = fc.constantFrom(
      (t: string) => t,
      (t: string) => `Bearer ${t}`,
      (t: string) => `?token=${t}`,
      (t: string) => `\\"${t}\\`,
      (t: string) => `"token":"${t}"`,
      (t: string) => `https://a:${t}@b/`,
    );
    const text = fc
      .tuple(fc.string(), carrier, fc.string())
      .map(([before, carry, after]) => `${before} ${carry(jwt)} ${after}`);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom("msg", "token", "cookie", "a"), fc.oneof(text, fc.jsonValue())),
        (value) => {
          const clean = scrub(JSON.stringify(value));
          expect(() => JSON.parse(clean) as unknown).not.toThrow();
          expect(clean).not.toContain(jwt.split(".")[2]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes time in proportion to the text, however hostile", () => {
    const hostile = ["token=", "eyJ", '"token":"', "//", "bearer ", "\\", "token\\"].map((part) => part.repeat(20_000));
    for (const text of hostile) expect(scrub(`${text} token=x`)).toBeTypeOf("string");
  });
});
