import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, it } from "vitest";
import { mintToken } from "./mint-token.js";

const clock = { now: () => 0, wall: () => 1_800_000_000_900 };
const secret = "0123456789abcdef0123456789abcdef";

describe("mintToken", () => {
  it("says what it was told, and nothing else", async () => {
    const token = await mintToken(secret, { sub: "alice", ttlMs: 1_500 }, clock);
    expect(decodeProtectedHeader(token)).toEqual({ alg: "HS256", typ: "JWT" });
    expect(decodeJwt(token)).toEqual({ sub: "alice", iat: 1_800_000_000, exp: 1_800_000_002 });
  });

  it("says all that it may be told", async () => {
    const options = {
      sub: "a",
      events: [],
      clusters: ["c-1"],
      scope: "admin",
      ttlMs: 60_000,
      issuer: "i",
      audience: ["x", "y"],
    };
    expect(decodeJwt(await mintToken(secret, options, clock))).toEqual({
      sub: "a",
      events: [],
      clusters: ["c-1"],
      scope: "admin",
      iss: "i",
      aud: ["x", "y"],
      iat: 1_800_000_000,
      exp: 1_800_000_060,
    });
    expect(decodeJwt(await mintToken(secret, { ...options, audience: "x" }))).toMatchObject({ aud: "x" });
  });
});
