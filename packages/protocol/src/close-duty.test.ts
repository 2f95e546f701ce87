import { describe, expect, it } from "vitest";
import { closes } from "./close-codes.js";
import { closeDuty } from "./close-duty.js";

describe("closeDuty", () => {
  it.each(Object.values(closes).map((entry) => [entry.code, entry.reason, entry.duty] as const))(
    "is what the table says for %i %s",
    (code, reason, duty) => {
      expect(closeDuty(code, reason)).toBe(duty);
    },
  );

  it.each([
    [1001, ""],
    [1005, ""],
    [1006, ""],
    [1000, "bye"],
    [4000, "Connection timeout"],
  ])("is to come back after %i, which is no end of a kind that the table forbids", (code, reason) => {
    expect(closeDuty(code, reason)).toBe("reconnect");
  });

  it("is another token after one failed, and to stop after a 1008 of any other reason", () => {
    expect(closeDuty(1008, "Authentication failed")).toBe("new-token");
    expect(closeDuty(1008, "go away")).toBe("stop");
    expect([closeDuty(4401, ""), closeDuty(4403, ""), closeDuty(1012, "")]).toEqual([
      "new-token",
      "stop",
      "reconnect-after",
    ]);
  });
});
