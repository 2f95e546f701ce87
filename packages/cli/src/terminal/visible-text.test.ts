import { describe, expect, it } from "vitest";
import { truncate, visibleText } from "./visible-text.js";

describe("visibleText", () => {
  it.each([
    ["plain ünï 😀", "plain ünï 😀"],
    ["\u001b[2J", "\\u001b[2J"],
    ["\u009b31m", "\\u009b31m"],
    ["a\u202eb", "a\\u202eb"],
    ["a\u2028b", "a\\u2028b"],
    ["\u007f", "\\u007f"],
    ["\u{e0001}", "\\u{e0001}"],
  ])("shows %j as %s", (text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });
});

describe("truncate", () => {
  it("cuts at the width, by characters and not by halves of them", () => {
    expect(truncate("abcd", 5)).toBe("abcd");
    expect(truncate("abcde", 5)).toBe("abcde");
    expect(truncate("abcdef", 5)).toBe("abcd…");
    expect(truncate("😀😀😀", 3)).toBe("😀😀😀");
    expect(truncate("😀😀😀😀", 3)).toBe("😀😀…");
    expect(truncate("abc", 0)).toBe("");
  });
});
