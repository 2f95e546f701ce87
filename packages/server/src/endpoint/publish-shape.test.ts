import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, textDepthMax } from "./publish-shape.js";

function cost(text: string, bytesMax = 1_000_000): string | undefined {
  const body = Buffer.from(text);
  return costOf(body, { start: 0, end: body.length }, bytesMax);
}

const space = " \n\r\t".repeat(2_048);
const long = `1${space}`;
const nested = (levels: number) => `${"[".repeat(levels)}${long}${"]".repeat(levels)}`;

describe("costOf", () => {
  it("counts levels: one below, at and above the limit", () => {
    expect(cost(nested(textDepthMax - 1))).toBeUndefined();
    expect(cost(nested(textDepthMax))).toBeUndefined();
    expect(cost(nested(textDepthMax + 1))).toBe("depth");
    expect(cost(`[${"{},".repeat(textDepthMax)}${long}]`)).toBeUndefined();
  });

  it.each([
    ["structure", `[{},[],1,2]${space}`, 11],
    ["members", `{"a":1,"b":2}${space}`, 13],
    ["strings", `"aé"${space}`, 5],
    ["escapes as what they stand for", String.raw`"\u0041\n\\\""${space}`, 6],
    ["numbers as one byte", `[-12.5e+30,1000,true]${space}`, 7],
    ["an unfinished string", `"${"a".repeat(8_192)}`, 8_194],
  ])("counts %s: at the limit, and one above", (_, text, bytes) => {
    expect(cost(text, bytes)).toBeUndefined();
    expect(cost(text, bytes - 1)).toBe("bytes");
  });

  it("counts no structure in strings", () => {
    expect(cost(`["${"[{".repeat(9_000)}"]`)).toBeUndefined();
  });

  it("lets short texts pass unread", () => {
    expect(cost("[".repeat(8_192), 1)).toBeUndefined();
    expect(cost("[".repeat(8_193), 1)).toBe("bytes");
  });

  it("reads between start and end only", () => {
    const body = Buffer.from(`[[[[${long}]]]]`);
    expect(costOf(body, { start: 4, end: body.length - 4 }, 1)).toBeUndefined();
  });

  it("never counts more than the JSON that comes out", () => {
    const values = fc.jsonValue({ maxDepth: 5, stringUnit: "binary" });
    fc.assert(
      fc.property(values, fc.boolean(), (value, isPretty) => {
        const compact = JSON.stringify(value);
        const text = isPretty ? JSON.stringify(value, null, 3) : compact;
        expect(cost(text + space, Buffer.byteLength(compact))).toBeUndefined();
      }),
    );
  });
});
