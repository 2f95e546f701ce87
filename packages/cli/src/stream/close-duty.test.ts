import { closes } from "@sluice/protocol";
import { describe, expect, it } from "vitest";
import { describeClose, dutyOf } from "./close-duty.js";

describe("dutyOf", () => {
  it.each(Object.values(closes).map((entry) => [entry.code, entry.reason, entry.duty] as const))(
    "does what the table says for %i %s",
    (code, reason, duty) => {
      expect(dutyOf(code, reason)).toBe(duty);
    },
  );

  it.each([
    [1001, ""],
    [1005, ""],
    [1006, ""],
    [1000, "bye"],
    [4000, "Connection timeout"],
    [4999, ""],
  ])("comes back after %i, which is no end of a kind that the table forbids", (code, reason) => {
    expect(dutyOf(code, reason)).toBe("reconnect");
  });

  it("stops at a 1008 of an unknown reason", () => {
    expect(dutyOf(1008, "go away")).toBe("stop");
  });
});

describe("describeClose", () => {
  it.each([
    [1006, "", "the connection was lost"],
    [4403, "Revoked", "the server closed the connection: Revoked (4403)"],
    [1012, "", "the server closed the connection: Service restart (1012)"],
    [4999, "", "the server closed the connection (4999)"],
    [4000, "a\u001b[2Jb", "the server closed the connection: a[2Jb (4000)"],
  ])("puts %i %j in words", (code, reason, words) => {
    expect(describeClose(code, reason)).toBe(words);
  });
});
