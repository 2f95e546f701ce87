import { describe, expect, it } from "vitest";
import { commitError } from "./commit-error.js";

const errorOf = (code: unknown): Error => Object.assign(new Error("of the system"), { code });

describe("commitError", () => {
  it.each(["ENOSPC", "EDQUOT", -30_792])("takes %s for a full disk", (code) => {
    const cause = errorOf(code);
    expect(commitError(cause)).toMatchObject({ code: "LOG_FULL", cause });
  });

  it.each(["EIO", 5, 28, -30_795, undefined])("takes %s for a failed disk", (code) => {
    expect(commitError(errorOf(code))).toMatchObject({ code: "LOG_FAILED" });
  });

  it("takes anything else for a failed disk", () => {
    expect(commitError("?")).toMatchObject({ code: "LOG_FAILED", cause: "?" });
  });
});
