import { describe, expect, it } from "vitest";
import { describeRefusal, problemDetail, readRetryAfter } from "./problem-detail.js";

describe("describeRefusal", () => {
  it("says what the problem says", () => {
    const problem = { title: "Unavailable", detail: "The service is draining" };
    expect(describeRefusal(503, problem)).toBe("The service is draining (HTTP 503)");
    expect(describeRefusal(502, undefined)).toBe("the server refused the connection (HTTP 502)");
  });

  it("says of 404 that something else lives there", () => {
    expect(describeRefusal(404, { title: "Not found" })).toBe("there is no Sluice at this address (HTTP 404)");
  });
});

describe("problemDetail", () => {
  it.each([
    [{ title: "T" }, "T"],
    [{ title: "T", detail: "D" }, "D"],
    [{ detail: "a\u001b[2Jb" }, "a [2Jb"],
    [{}, undefined],
    [null, undefined],
    ["<html>", undefined],
    [{ title: 7 }, undefined],
  ])("reads %j", (problem, words) => {
    expect(problemDetail(problem)).toBe(words);
  });

  it("takes at most 500 characters", () => {
    expect(problemDetail({ detail: "x".repeat(501) })).toHaveLength(500);
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
