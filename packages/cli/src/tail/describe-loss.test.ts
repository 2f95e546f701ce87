import { describe, expect, it } from "vitest";
import { describeLoss } from "./describe-loss.js";

describe("describeLoss", () => {
  it.each([
    [{ why: "Revoked (4403)", code: 4403 }, "the server closed the connection: Revoked (4403)"],
    [{ why: "connection lost (1006)", code: 1006 }, "the connection was lost"],
    [{ why: "the server has been silent for 42 s", code: 1006 }, "the server has been silent for 42 s"],
    [
      { why: "x", code: 1006, cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) },
      "connection refused; nothing listens there",
    ],
    [{ why: "x", code: 1006, cause: new Error("busy (HTTP 503)") }, "busy (HTTP 503)"],
    [{ why: "offline" }, "offline"],
  ])("puts %j in words", (loss, words) => {
    expect(describeLoss(loss)).toBe(words);
  });
});
