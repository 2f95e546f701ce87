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
  ])("comes back after %i, which is no end of a kind that the table forbids", (code, reason) => {
    expect(dutyOf(code, reason)).toBe("reconnect");
  });

  it("stops at a 1008 of an unknown reason", () => {
    expect(dutyOf(1008, "go away")).toBe("stop");
  });
});

it("puts a close in words", () => {
  expect(describeClose(4403, "Revoked")).toBe("Revoked (4403)");
  expect(describeClose(1006, "")).toBe("connection lost (1006)");
});
