import { describe, expect, it } from "vitest";
import { isPageKey, pageKey } from "./page-key.js";

describe("pageKey", () => {
  it("stays the same as long as the secret does, and doesn't show it", () => {
    const key = pageKey("a secret");
    expect(key).toMatch(/^[\w-]{22}$/);
    expect(pageKey("a secret")).toBe(key);
    expect(pageKey("another secret")).not.toBe(key);
  });

  it("is not opened by nothing, by a part of it, by more than it, or by another", () => {
    const key = pageKey("a secret");
    const wrong = [undefined, "", key.slice(1), `${key}x`, pageKey("b"), `${key.slice(0, -1)}ü`];
    expect(wrong.filter((given) => isPageKey(given, key))).toEqual([]);
    expect(isPageKey(key, key)).toBe(true);
  });
});
