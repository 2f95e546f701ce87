import { describe, expect, it } from "vitest";
import { describeNetworkError, networkErrorCode } from "./network-error.js";

const withCode = (code: string): Error => Object.assign(new Error("raw"), { code });

describe("describeNetworkError", () => {
  it("puts codes in words", () => {
    expect(describeNetworkError(withCode("ECONNREFUSED"))).toBe("connection refused; nothing listens there");
    expect(describeNetworkError(withCode("EWHATEVER"))).toBe("EWHATEVER");
  });

  it("looks at causes and at the first of several addresses", () => {
    expect(networkErrorCode(new TypeError("fetch failed", { cause: withCode("ECONNRESET") }))).toBe("ECONNRESET");
    expect(networkErrorCode(new AggregateError([withCode("ECONNREFUSED")]))).toBe("ECONNREFUSED");
  });

  it("says what there is to say of anything else", () => {
    expect(describeNetworkError(new Error("odd"))).toBe("odd");
    expect(describeNetworkError("odd")).toBe("odd");
  });
});
