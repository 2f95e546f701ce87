import { SluiceError } from "@sluice/client";
import { describe, expect, it } from "vitest";
import { describeFailure, mayBeStored, readFailure } from "./post-outcome.js";

const answered = (code: "REFUSED" | "UNAVAILABLE", status: number, problem: Record<string, unknown> = {}) =>
  new SluiceError(code, "words", status, undefined, problem);
const unanswered = (code: string) =>
  new SluiceError("UNAVAILABLE", "words", undefined, Object.assign(new Error("words"), { code }));

describe("readFailure", () => {
  it("knows a client that was closed", () => {
    expect(readFailure(new SluiceError("CLOSED", "closed"))).toEqual({ kind: "interrupted" });
  });

  it.each(["body-too-large", "batch-too-large"])("knows %s, which smaller requests help", (name) => {
    const type = `urn:sluice:problem:${name}`;
    expect(readFailure(answered("REFUSED", 413, { type, title: name }))).toEqual({
      kind: "too-large",
      why: `${name} (HTTP 413)`,
    });
  });

  it("names the event that was refused, and not its place in the request", () => {
    const detail = "Event 5 (line 6): payload must be at most 100 bytes of JSON";
    expect(readFailure(answered("REFUSED", 413, { type: "urn:sluice:problem:x", detail, index: 5 }))).toEqual({
      kind: "refused",
      status: 413,
      why: "payload must be at most 100 bytes of JSON (HTTP 413)",
      index: 5,
    });
  });

  it("takes what is not in the list for a refusal", () => {
    expect(readFailure(answered("REFUSED", 401))).toMatchObject({ kind: "refused", status: 401, index: undefined });
    expect(readFailure(new SluiceError("REFUSED", "no answer of Sluice"))).toMatchObject({
      kind: "refused",
      why: "no answer of Sluice",
    });
  });
});

describe("mayBeStored", () => {
  it.each([408, 425, 429, 503, 507])("is ruled out after %i", (status) => {
    expect(mayBeStored(answered("UNAVAILABLE", status))).toBe(false);
  });

  it.each([500, 502, 504])("is left open after %i", (status) => {
    expect(mayBeStored(answered("UNAVAILABLE", status))).toBe(true);
  });

  it("is ruled out where there was no connection, and left open where it was lost", () => {
    expect(mayBeStored(unanswered("ECONNREFUSED"))).toBe(false);
    expect(mayBeStored(unanswered("ECONNRESET"))).toBe(true);
    expect(mayBeStored(new SluiceError("UNAVAILABLE", "no answer in time"))).toBe(true);
  });
});

describe("describeFailure", () => {
  it("says of 404 that something else lives there, and of a network what it told", () => {
    expect(describeFailure(answered("REFUSED", 404))).toBe("there is no Sluice at this address (HTTP 404)");
    expect(describeFailure(answered("REFUSED", 400))).toBe("the service refused the events (HTTP 400)");
    expect(describeFailure(unanswered("ECONNREFUSED"))).toBe("connection refused; nothing listens there");
    expect(describeFailure(new SluiceError("UNAVAILABLE", "no answer in time"))).toBe("no answer in time");
  });
});
