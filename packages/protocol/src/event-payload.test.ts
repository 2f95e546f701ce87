import { describe, expect, it } from "vitest";
import { encodePayload, payloadDepthMax } from "./event-payload.js";

const bytesMax = 262_144;

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe("encodePayload", () => {
  it.each([
    [null, "null"],
    [0, "0"],
    [-1.5e-7, "-1.5e-7"],
    [true, "true"],
    ["", '""'],
    ["é😀", '"é😀"'],
    ["\ud800", String.raw`"\ud800"`],
    [{ "\udfff": 1 }, String.raw`{"\udfff":1}`],
    [[], "[]"],
    [{}, "{}"],
    [[1, [2, { a: null }]], '[1,[2,{"a":null}]]'],
    [Object.create(null), "{}"],
  ])("%j is encoded", (payload, text) => {
    expect(encodePayload(payload, bytesMax)).toEqual({ ok: true, text });
  });

  it("carries prototype keys as the plain members that they are", () => {
    const text = '{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"toJSON":3}';
    expect(encodePayload(JSON.parse(text), bytesMax)).toEqual({ ok: true, text });
    expect(Object.hasOwn(Object.prototype, "a")).toBe(false);
  });

  it("measures UTF-8 bytes: one below, at and above the limit", () => {
    expect(encodePayload("a".repeat(7), 10)).toMatchObject({ ok: true });
    expect(encodePayload("a".repeat(8), 10)).toMatchObject({ ok: true });
    expect(encodePayload("a".repeat(9), 10)).toEqual({
      ok: false,
      reason: "payload-too-large",
      problem: "must be at most 10 bytes of JSON",
    });
    expect(encodePayload("é".repeat(4), 10)).toMatchObject({ ok: true });
    expect(encodePayload("é".repeat(4), 9)).toMatchObject({ ok: false });
    expect(encodePayload("\ud83d\ude00\ud83d\ude00", 10)).toMatchObject({ ok: true });
    expect(encodePayload("\ud83d\ude00\ud83d\ude00", 9)).toMatchObject({ ok: false });
    expect(encodePayload("\ud800", 8)).toMatchObject({ ok: true });
    expect(encodePayload("\ud800", 7)).toMatchObject({ ok: false });
  });

  it("bounds the depth: one below, at and above the limit", () => {
    expect(encodePayload(nested(payloadDepthMax - 1), bytesMax)).toMatchObject({ ok: true });
    expect(encodePayload(nested(payloadDepthMax), bytesMax)).toMatchObject({ ok: true });
    expect(encodePayload(nested(payloadDepthMax + 1), bytesMax)).toEqual({
      ok: false,
      reason: "invalid-event",
      problem: "must not be nested more than 61 levels deep",
    });
  });

  it("refuses a depth that would overflow a recursive encoder, and a cycle", () => {
    expect(encodePayload(nested(200_000), bytesMax)).toMatchObject({ ok: false, reason: "invalid-event" });
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(encodePayload(cycle, bytesMax)).toMatchObject({ ok: false, reason: "invalid-event" });
  });

  it.each([["1e999"], ["-1e999"], ['{"a":[1,1e400]}']])("refuses %s, which would come out as null", (text) => {
    expect(encodePayload(JSON.parse(text), bytesMax)).toEqual({
      ok: false,
      reason: "invalid-event",
      problem: "holds a number outside the range of IEEE 754 double (RFC 8259 §6)",
    });
  });

  it.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a BigInt", 1n],
    ["an undefined member", { a: undefined }],
    ["a hole", [1, , 2]], // eslint-disable-line no-sparse-arrays
    ["a Date", { at: new Date(0) }],
    ["a Map", new Map([[1, 2]])],
    ["an object that encodes itself", { toJSON: () => "other" }],
  ])("refuses %s, which is no JSON value", (_, payload) => {
    expect(encodePayload(payload, bytesMax)).toMatchObject({
      ok: false,
      problem: "must be made of JSON values: plain objects, arrays, strings, finite numbers, booleans and null",
    });
  });
});
