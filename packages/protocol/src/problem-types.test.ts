import { expect, it } from "vitest";
import { problemTypes, problemTypeUri } from "./problem-types.js";
import type { ProblemName } from "./problem-types.js";

it("gives every problem a URI of its own and a status that says error", () => {
  const names = Object.keys(problemTypes) as ProblemName[];
  expect(new Set(names.map(problemTypeUri)).size).toBe(names.length);
  for (const name of names) {
    expect(problemTypeUri(name)).toMatch(/^urn:sluice:problem:[a-z]+(-[a-z]+)*$/);
    expect(problemTypes[name].status).toBeGreaterThanOrEqual(400);
  }
});
