import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonTexts, ndjsonTexts, stretchBytes, type EventTexts, type JsonShape } from "./publish-texts.js";

const far = 1_000_000;

function cut(body: string, texts: EventTexts): string[] {
  const bytes = Buffer.from(body);
  return [...texts].flatMap((text) => (text === undefined ? [] : [bytes.toString("utf8", text.start, text.end)]));
}

function json(body: string, shape: JsonShape): string[] {
  return cut(body, jsonTexts(Buffer.from(body), shape, far));
}

function elements(body: string, bytesMax = far): string[] {
  return cut(body, jsonTexts(Buffer.from(body), "array", bytesMax));
}

/** What a reader of the texts accepts: every text JSON, as `parsePublishBody` demands. */
function readArray(body: string): unknown[] | undefined {
  try {
    return elements(body).map((text) => JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

function readWhole(body: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

describe("jsonTexts of an array", () => {
  it.each([
    ["[]", []],
    [" [ ] \n", []],
    ["[1]", ["1"]],
    ["[1,2]", ["1", "2"]],
    ['[{"a":[1,2],"b":"],[{"}, "x,y" ,null]', ['{"a":[1,2],"b":"],[{"}', ' "x,y" ', "null"]],
    [String.raw`["a\"]", "\\", "\\\"", 1]`, [String.raw`"a\"]"`, String.raw` "\\"`, String.raw` "\\\""`, " 1"]],
    ['["é😀"]', ['"é😀"']],
  ])("cuts %j", (body, texts) => {
    expect(elements(body)).toEqual(texts);
  });

  it.each([
    "{}",
    "1",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,]",
    "[,1]",
    "[1,,2]",
    "[1}",
    "[1]]",
    "[1] 2",
    '["a',
    '["a\\',
    "[{]}]",
    "[1 2]",
  ])("leaves no reading of %j, which is no array", (body) => {
    expect(readArray(body)).toBeUndefined();
  });

  it("reads exactly the arrays that JSON.parse reads", () => {
    const pieces = fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"',
      "\\",
      " ",
      "\n",
      "1",
      "null",
      '"a"',
      '"\\""',
      "é",
    );
    const valid = fc.array(fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.stringify(value));
    const spoilt = fc.tuple(valid, fc.nat(), pieces).map(([text, at, piece]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + piece + text.slice(place);
    });
    const anything = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(valid, spoilt, anything), (body) => {
        expect(readArray(body)).toEqual(body.trim() === "" ? [] : readWhole(body));
      }),
      { numRuns: 2_000 },
    );
  });

  it("follows an element no further than the limit", () => {
    expect(elements("[12345,6]", 5)).toEqual(["12345", "6"]);
    expect(elements("[123456,7]", 5)[0]).toHaveLength(6);
    expect(elements(`["${"a".repeat(100)}"]`, 5)[0]).toHaveLength(6);
    expect(elements(String.raw`["aaa\"aaa"]`, 4)[0]).toHaveLength(5);
    expect(elements(`["aaaaa\\`, 6)[0]).toHaveLength(7);
  });
});

describe("jsonTexts", () => {
  it("is the whole of it where one value is wanted, without the white space before it", () => {
    expect(json(" 1 2", "value")).toEqual(["1 2"]);
    expect(json("[1,2]", "value")).toEqual(["[1,2]"]);
    expect(json(" {}", "either")).toEqual(["{}"]);
    expect(json(" [1,2]", "either")).toEqual(["1", "2"]);
  });

  it.each<JsonShape>(["value", "array", "either"])("finds nothing (%s) where there is only white space", (shape) => {
    expect(json("", shape)).toEqual([]);
    expect(json(" \r\n\t", shape)).toEqual([]);
  });
});

describe("ndjsonTexts", () => {
  it("numbers lines from 1 and passes over blank ones", () => {
    const body = Buffer.from('\n{"a":1}\r\n \t\r\n {"b":2}\n\n3');
    const texts = [...ndjsonTexts(body)];
    expect(texts.map((text) => text?.line)).toEqual([2, 4, 6]);
    expect(cut(body.toString(), ndjsonTexts(body))).toEqual(['{"a":1}\r', '{"b":2}', "3"]);
  });

  it.each(["", "\n", " \n\r\n"])("finds nothing in %j", (body) => {
    expect([...ndjsonTexts(Buffer.from(body))]).toEqual([]);
  });
});

it("offers a moment to pause in each long stretch of white space", () => {
  const space = " \n".repeat(stretchBytes);
  const pauses = (texts: EventTexts) => [...texts].filter((text) => text === undefined).length;
  expect(pauses(ndjsonTexts(Buffer.from(`${space}1`)))).toBe(2);
  expect(pauses(jsonTexts(Buffer.from(`${space}1`), "value", far))).toBe(2);
  expect(pauses(jsonTexts(Buffer.from(`[${space}]${space}`), "array", far))).toBe(4);
});
