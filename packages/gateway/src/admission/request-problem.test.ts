import { describe, expect, it } from "vitest";
import { requestProblem } from "./request-problem.js";

function problemOf(url: string, fields: readonly (readonly [name: string, value: string])[] = []): string | undefined {
  const all = [["Host", "a.example:80"] as const, ...fields];
  const headers = Object.fromEntries(all.map(([name, value]) => [name.toLowerCase(), value]));
  return requestProblem({ url, headers, rawHeaders: all.flat() })?.name;
}

describe("requestProblem", () => {
  it.each(["/api/v1/events", "/api/v1/events?a=../x#", "/api/v1/users/a.b..c/...", "/api/v1/x%2fy", "/"])(
    "lets %s pass, but for a fragment",
    (url) => {
      expect(problemOf(url.replace("#", ""))).toBeUndefined();
      expect(problemOf(`${url}#x`)).toBe("bad-request");
    },
  );

  it.each([
    "http://a/api/v1/events",
    "*",
    "/api/v1/../metrics",
    "/api/v1/%2E./metrics",
    "/api/v1/x%2f..%2f..%2fmetrics",
    "/api/v1/..;/metrics",
    "/api/v1/..\\metrics",
    "/api/v1/..%5Cmetrics",
    "/api/v1/.",
  ])("refuses the path %s", (url) => {
    expect(problemOf(url)).toBe("bad-request");
  });

  it.each(["Host", "Content-Type", "Idempotency-Key", "Last-Event-ID", "ce-id"])("refuses a second %s", (name) => {
    const twice = [
      [name, "a"],
      [name.toUpperCase(), "a"],
    ] as const;
    expect(problemOf("/", twice)).toBe("bad-request");
    expect(problemOf("/", twice.slice(name === "Host" ? 2 : 1))).toBeUndefined();
  });

  it.each([
    ["chunked", undefined],
    ["Chunked", undefined],
    ["gzip, chunked", "bad-request"],
    ["chunked, chunked", "bad-request"],
  ])("of the coding %s says %s", (coding, problem) => {
    expect(problemOf("/", [["Transfer-Encoding", coding]])).toBe(problem);
  });

  it.each([
    [199, undefined],
    [200, undefined],
    [201, "headers-too-large"],
  ])("of %i headers says %s", (count, problem) => {
    const more = Array.from({ length: count - 1 }, (_, index) => [`x-${index}`, "1"] as const);
    expect(problemOf("/", more)).toBe(problem);
  });
});
