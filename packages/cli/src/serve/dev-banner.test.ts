import { expect, it } from "vitest";
import { paintFor } from "../terminal/paint.js";
import { devBanner } from "./dev-banner.js";

it("is a box that says what is open", () => {
  const lines = devBanner(paintFor(false)).trimEnd().split("\n");
  expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  expect(lines.join("\n")).toContain("auth.dev is on");
});
