import { InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { clustersOption, durationOption, integerOption, nameOption, patternsOption } from "./option-parsers.js";

describe("integerOption", () => {
  const parse = integerOption(1, 1_000);

  it.each([
    ["1", 1],
    ["999", 999],
    ["1000", 1_000],
  ])("takes %s", (text, value) => {
    expect(parse(text)).toBe(value);
  });

  it.each(["0", "1001", "", "1.5", "-1", "1e2", "0x10", "ten"])("refuses %j", (text) => {
    expect(() => parse(text)).toThrow(new InvalidArgumentError("It must be an integer from 1 to 1000."));
  });

  it("takes every seq and no more", () => {
    const seq = integerOption(0, Number.MAX_SAFE_INTEGER);
    expect(seq("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => seq("9007199254740992")).toThrow("It must be an integer from 0 to 2^53 - 1.");
  });
});

describe("durationOption", () => {
  const parse = durationOption(1_000, 60_000, "from 1s to 1m");

  it("takes its bounds and refuses what lies outside", () => {
    expect(parse("1s")).toBe(1_000);
    expect(parse("1m")).toBe(60_000);
    expect(() => parse("999ms")).toThrow("It must be from 1s to 1m.");
    expect(() => parse("61s")).toThrow("It must be from 1s to 1m.");
    expect(() => parse("soon")).toThrow("a number with a unit: 500ms, 30s, 15m, 1h or 7d");
  });
});

describe("lists of names", () => {
  it("joins several options, each name once", () => {
    expect(patternsOption("B,GPU_*", patternsOption("A, B", undefined))).toEqual(["A", "B", "GPU_*"]);
    expect(clustersOption("c-2,c-1", ["c-1"])).toEqual(["c-1", "c-2"]);
  });

  it.each(["", "A,,B", "A b", "*A", "A**"])("refuses the pattern list %j", (text) => {
    expect(() => patternsOption(text, undefined)).toThrow(InvalidArgumentError);
  });

  it.each(["", "c-*", "*", "c 1"])("refuses the cluster list %j", (text) => {
    expect(() => clustersOption(text, undefined)).toThrow(InvalidArgumentError);
  });

  it("takes 100 patterns and refuses 101", () => {
    const names = Array.from({ length: 101 }, (_, index) => `E${index}`);
    expect(patternsOption(names.slice(1).join(","), undefined)).toHaveLength(100);
    expect(() => patternsOption(names.join(","), undefined)).toThrow("At most 100 names and patterns");
  });

  it("takes one name where one is meant", () => {
    expect(nameOption("GPU_UPDATE")).toBe("GPU_UPDATE");
    expect(() => nameOption("GPU_*")).toThrow(InvalidArgumentError);
  });
});
