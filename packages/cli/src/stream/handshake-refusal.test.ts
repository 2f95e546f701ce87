import { describe, expect, it } from "vitest";
import { problemDetail, readHandshakeRefusal, readRetryAfter } from "./handshake-refusal.js";

describe("readHandshakeRefusal", () => {
  it.each([
    [401, "new-token"],
    [403, "stop"],
    [404, "stop"],
    [400, "stop"],
    [426, "stop"],
    [302, "stop"],
    [200, "stop"],
    [429, "reconnect"],
    [500, "reconnect"],
    [502, "reconnect"],
    [503, "reconnect"],
  ])("takes %i as %s", (status, duty) => {
    expect(readHandshakeRefusal(status, undefined, "").duty).toBe(duty);
  });

  it("says what the problem says, and waits as asked", () => {
    const body = JSON.stringify({ title: "Unavailable", detail: "The service is draining" });
    expect(readHandshakeRefusal(503, "3", body)).toEqual({
      duty: "reconnect",
      why: "The service is draining (HTTP 503)",
      retryAfterMs: 3_000,
    });
  });

  it("says of 404 that something else lives there", () => {
    expect(readHandshakeRefusal(404, undefined, "<html>").why).toBe("there is no Sluice at this address (HTTP 404)");
  });
});

describe("problemDetail", () => {
  it.each([
    ['{"title":"T"}', "T"],
    ['{"title":"T","detail":"D"}', "D"],
    ['{"detail":"a\\u001b[2Jb"}', "a [2Jb"],
    ["{}", undefined],
    ["null", undefined],
    ["<html>", undefined],
    ['{"title":7}', undefined],
  ])("reads %s", (body, words) => {
    expect(problemDetail(body)).toBe(words);
  });

  it("takes at most 500 characters", () => {
    expect(problemDetail(JSON.stringify({ detail: "x".repeat(501) }))).toHaveLength(500);
  });
});

describe("readRetryAfter", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    ["-1", undefined],
    [undefined, undefined],
  ])("reads %j", (header, ms) => {
    expect(readRetryAfter(header)).toBe(ms);
  });
});
