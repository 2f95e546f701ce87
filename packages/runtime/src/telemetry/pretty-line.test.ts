import { expect, it } from "vitest";
import { prettyLine } from "./pretty-line.js";

const line = (fields: object) =>
  JSON.stringify({ level: "info", time: "2026-01-02T20:13:27.123Z", pid: 1, service: "s", ...fields });

it("is time, level, message and fields", () => {
  const json = line({ msg: "listening", url: "http://127.0.0.1:1", n: 2, list: [1, "a b"], text: "a b", none: null });
  expect(prettyLine(json, false)).toBe(
    '20:13:27.123 INFO  listening url=http://127.0.0.1:1 n=2 list=[1,"a b"] text="a b" none=null\n',
  );
});

it("is coloured when asked", () => {
  expect(prettyLine(line({ msg: "m" }), true)).toBe("\u001b[2m20:13:27.123\u001b[0m \u001b[32mINFO \u001b[0m m\n");
  expect(prettyLine(line({ level: "debug" }), true)).toBe("\u001b[2m20:13:27.123\u001b[0m DEBUG \n");
});

it("has the stack of an error and its causes below", () => {
  const err = { message: "m", stack: "Error: m\n  at x", cause: { message: "inner" } };
  expect(prettyLine(line({ msg: "failed", err }), false)).toBe(
    "20:13:27.123 INFO  failed\n    Error: m\n      at x\n    inner\n",
  );
  expect(prettyLine(line({ msg: "failed", err: { code: 1 } }), false)).toBe("20:13:27.123 INFO  failed\n    \n");
});

it("lets nothing steer the terminal or begin a line of its own", () => {
  const nasty = "\u001b]0;x\u0007\n\u009b2J";
  const pretty = prettyLine(line({ msg: nasty, field: nasty, err: { stack: `\u001b${nasty}` } }), false);
  expect(pretty.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  expect(pretty.split("\n")).toHaveLength(4);
});

it("passes on what is no JSON object", () => {
  expect(prettyLine("plain\n", true)).toBe("plain\n");
  expect(prettyLine("5", true)).toBe("5");
});
