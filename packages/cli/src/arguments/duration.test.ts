import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.js";

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["0s", 0],
    ["30s", 30_000],
    ["15m", 900_000],
    ["1h", 3_600_000],
    ["7d", 604_800_000],
    ["1.5h", 5_400_000],
    ["0.001s", 1],
    [" 1h ", 3_600_000],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "30",
    "s",
    "-1s",
    "1 h",
    "1w",
    "1H",
    "1e3s",
    "1h30m",
    ".5s",
    "1.s",
    "1.0001s",
    "NaNs",
    "999999999999999d",
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("reads every whole number of every unit", () => {
    const units = fc.constantFrom(
      ["ms", 1],
      ["s", 1_000],
      ["m", 60_000],
      ["h", 3_600_000],
      ["d", 86_400_000],
    ) as fc.Arbitrary<[string, number]>;
    fc.assert(
      fc.property(fc.nat(1_000_000), units, (count, [unit, ms]) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * ms);
      }),
    );
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_000, "1 s"],
    [1_400, "1.4 s"],
    [12_345, "12 s"],
    [59_499, "59 s"],
    [60_000, "1 min"],
    [90_000, "1.5 min"],
    [3_600_000, "1 h"],
    [86_400_000, "24 h"],
    [604_800_000, "7 d"],
  ])("shows %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
