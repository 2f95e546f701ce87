import { describe, expect, it } from "vitest";
import { recordedTerminal } from "../testing/recorded-terminal.js";
import { paintFor } from "./paint.js";
import { takesColour } from "./terminal.js";

describe("takesColour", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { TERM: "dumb" }, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [false, { FORCE_COLOR: "1" }, true],
    [false, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("on a terminal: %s, with %j: %s", (isTTY, env, colour) => {
    expect(takesColour(recordedTerminal({ isTTY }).terminal.stdout, env)).toBe(colour);
  });
});

describe("paintFor", () => {
  it("paints, or leaves text as it is", () => {
    expect(paintFor(true).bad("a")).toBe("\u001b[31ma\u001b[39m");
    expect(paintFor(true).distinct(9, "a")).toBe(paintFor(true).distinct(1, "a"));
    const plain = paintFor(false);
    expect([
      plain.dim("a"),
      plain.bold("a"),
      plain.good("a"),
      plain.warn("a"),
      plain.bad("a"),
      plain.distinct(3, "a"),
    ]).toEqual(["a", "a", "a", "a", "a", "a"]);
  });
});
