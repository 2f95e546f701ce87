import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeToken, encodeToken } from "./subject-token.js";

describe("a name as a token", () => {
  it.each([
    ["GPU_UPDATE", "GPU_UPDATE"],
    ["c-1:a", "c-1:a"],
    ["a.b", "a=2Eb"],
    ["a*>", "a=2A=3E"],
    ["~", "=7E"],
    ["=", "=3D"],
    ["ü", "=C3=BC"],
    ["", "="],
    [undefined, "~"],
  ])("%s is %s", (name, token) => expect(encodeToken(name)).toBe(token));

  it("is one token of a subject and can be read back, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), (name) => {
        const token = encodeToken(name);
        expect(token).toMatch(/^[A-Za-z0-9_:=~-]+$/);
        expect(decodeToken(token)).toEqual({ readable: true, name });
      }),
    );
    expect(decodeToken("~")).toEqual({ readable: true, name: undefined });
  });

  it("is a digest where it would be over 1,024 bytes", () => {
    expect(encodeToken("x".repeat(1024))).toBe("x".repeat(1024));
    expect(encodeToken("x".repeat(1025))).toMatch(/^=~[A-Za-z0-9_-]{43}$/);
    expect(decodeToken(encodeToken("x".repeat(1025)))).toEqual({ readable: false });
    expect(encodeToken("é".repeat(170))).toHaveLength(1020);
    expect(decodeToken(encodeToken("é".repeat(171)))).toEqual({ readable: false });
  });
});
