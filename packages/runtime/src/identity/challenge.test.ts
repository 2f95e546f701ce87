import { describe, expect, it } from "vitest";
import { authFailure, authFailures, type AuthFailureReason } from "./auth-failures.js";
import { challengeFor, scopeChallenge } from "./challenge.js";

const reasons = Object.keys(authFailures) as AuthFailureReason[];

describe("challengeFor", () => {
  it("asks for a token where there is none: bare in HTTP (RFC 6750 §3.1), as a bad one at the handshake", () => {
    const missing = authFailure("missing");
    expect(challengeFor(missing, "http")).toEqual({
      status: 401,
      headers: { "www-authenticate": "Bearer" },
      detail: "No token was given",
    });
    expect(challengeFor(missing, "handshake").headers["www-authenticate"]).toBe(
      'Bearer error="invalid_token", error_description="No token was given"',
    );
  });

  it("gives a 503 a time to come back and no challenge", () => {
    const at = (ms?: number) => challengeFor(authFailure("issuer_unavailable", ms), "http");
    expect(at()).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
    expect(at(1_001).headers).toEqual({ "retry-after": "2" });
    expect(at(5_000).headers).toEqual({ "retry-after": "5" });
  });

  it.each(reasons)("%s is a header that parses", (reason) => {
    expect(reason).toMatch(/^[a-z_]+$/);
    for (const site of ["http", "handshake"] as const) {
      const { status, headers, detail } = challengeFor(authFailure(reason), site);
      expect(status).toBe(authFailures[reason].status);
      // RFC 6750 §3: what error_description may hold.
      expect(detail).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
      if (status === 401 && reason !== "missing") {
        expect(headers["www-authenticate"]).toBe(`Bearer error="invalid_token", error_description="${detail}"`);
      }
    }
  });

  it("names the scope that is lacking", () => {
    expect(scopeChallenge("events:publish")).toEqual({
      status: 403,
      headers: {
        "www-authenticate":
          'Bearer error="insufficient_scope", error_description="The token lacks the scope events:publish", scope="events:publish"',
      },
      detail: "The token lacks the scope events:publish",
    });
  });
});
