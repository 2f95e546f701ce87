import { describe, expect, it } from "vitest";
import { checkImports } from "./check-imports.mjs";
import { formatProblems } from "./problems.mjs";

const manifest = (name, dependencies = {}) =>
  JSON.stringify({ name: `@sluice/${name}`, exports: { ".": "./dist/index.js" }, dependencies });
const config = (...references) => JSON.stringify({ references: references.map((name) => ({ path: `../${name}` })) });

/** A repository in which everything is allowed, with `more` on top. */
function problemsOf(more) {
  const files = new Map(
    Object.entries({
      "package.json": JSON.stringify({ devDependencies: { vitest: "^4.0.0" } }),
      "packages/protocol/package.json": manifest("protocol"),
      "packages/protocol/tsconfig.json": config(),
      "packages/runtime/package.json": manifest("runtime", { "@sluice/protocol": "1", pino: "1" }),
      "packages/runtime/tsconfig.json": config("protocol"),
      "packages/server/package.json": manifest("server", { "@sluice/protocol": "1", "@sluice/runtime": "1", ws: "1" }),
      "packages/server/tsconfig.json": config("protocol", "runtime"),
      ...more,
    }),
  );
  return formatProblems(checkImports(files));
}

describe("between packages", () => {
  it("accepts imports along the directions", () => {
    expect(
      problemsOf({
        "packages/server/src/log/a.ts": 'import { x } from "@sluice/protocol";\nimport { WebSocket } from "ws";',
        "packages/runtime/src/b.ts": 'import type { y } from "@sluice/protocol";\nimport { join } from "node:path";',
        "packages/runtime/src/b.test.ts": 'import { it } from "vitest";',
        "packages/runtime/example/page.js": 'import { y } from "@sluice/runtime";',
        "tests/c.test.ts": 'import { z } from "@sluice/server";',
      }),
    ).toEqual([]);
  });

  it.each([
    [
      "against the direction",
      'import { x } from "@sluice/server";',
      "packages/runtime imports server; it may import protocol",
    ],
    [
      "by a type import",
      'type X = import("@sluice/server").X;',
      "packages/runtime imports server; it may import protocol",
    ],
    [
      "by a relative path",
      'import "../../server/src/index.js";',
      "reaches into packages/server; import @sluice/server by its name, from what its package.json exports",
    ],
    [
      "into internals",
      'import { x } from "@sluice/protocol/src/names.js";',
      "@sluice/protocol/src/names.js is internal to packages/protocol; its package.json exports .",
    ],
    [
      "out of the packages",
      'import "../../../tools/problems.mjs";',
      "leaves packages/runtime; a package imports only packages by name",
    ],
    [
      "undeclared",
      'import fastify from "fastify";',
      "fastify is not in the dependencies of packages/runtime/package.json",
    ],
    [
      "a test's own, undeclared",
      'import { it } from "vitest";',
      "vitest is not in the dependencies of packages/runtime/package.json",
    ],
    ["a built-in without node:", 'import { join } from "path";', "built-in modules are imported as node:path"],
  ])("refuses an import %s", (_, text, message) => {
    expect(problemsOf({ "packages/runtime/src/a.ts": `\n${text}` })).toEqual([
      `packages/runtime/src/a.ts:2: ${message}`,
    ]);
  });

  it("keeps Node out of the packages for any runtime, tests apart", () => {
    const text = 'import { join } from "node:path";';
    expect(problemsOf({ "packages/protocol/src/a.test.ts": text })).toEqual([]);
    expect(problemsOf({ "packages/protocol/src/a.ts": text })).toEqual([
      "packages/protocol/src/a.ts:1: packages/protocol is for any runtime; node:path exists only in Node",
    ]);
  });

  it("judges manifests, build references and packages without a direction", () => {
    expect(
      problemsOf({
        "packages/protocol/package.json": manifest("protocol", { "@sluice/runtime": "1" }),
        "packages/runtime/tsconfig.json": config(),
        "packages/extra/package.json": manifest("extra"),
      }),
    ).toEqual([
      "packages/extra/package.json:1: packages/extra has no direction; add it to tools/check-imports.mjs and ARCHITECTURE.md",
      "packages/protocol/package.json:1: depends on @sluice/runtime; it may depend on none",
      "packages/protocol/tsconfig.json:1: lacks the reference ../runtime, a dependency",
      "packages/runtime/tsconfig.json:1: lacks the reference ../protocol, a dependency",
    ]);
  });
});

describe("between the stages of the server", () => {
  const order = "log ← nodes ← routing ← delivery ← session ← endpoint ← create-server.ts and its neighbours";

  it("lets imports go left and stay", () => {
    expect(
      problemsOf({
        "packages/server/src/log/a.ts": 'import "./b.js";',
        "packages/server/src/session/a.ts": 'import "../log/a.js";\nimport "../delivery/a.js";',
        "packages/server/src/log/a-contract.ts": 'import { it } from "vitest";',
        "packages/server/src/create-server.ts": 'import "./endpoint/a.js";\nimport "./drain.js";',
        "packages/server/src/create-server.test.ts": 'import "./index.js";',
      }),
    ).toEqual([]);
  });

  it("refuses imports to the right, and files of no stage", () => {
    expect(
      problemsOf({
        "packages/server/src/delivery/a.ts": 'import type { S } from "../session/s.js";',
        "packages/server/src/endpoint/a.ts": 'import "../create-server.js";',
        "packages/server/src/misplaced/a.ts": 'import "../log/a.js";',
      }),
    ).toEqual([
      `packages/server/src/delivery/a.ts:1: delivery imports session; imports go only left: ${order}`,
      `packages/server/src/endpoint/a.ts:1: endpoint imports create-server.ts and its neighbours; imports go only left: ${order}`,
      `packages/server/src/misplaced/a.ts:1: stands in no stage; packages/server/src holds ${order}`,
    ]);
  });
});

describe("cycles", () => {
  it("are found through type imports and named once, by the shortest way round", () => {
    expect(
      problemsOf({
        "packages/runtime/src/a.ts": 'import "./b.js";',
        "packages/runtime/src/b.ts": 'import type { C } from "./c.js";\nimport "./long.js";',
        "packages/runtime/src/c.ts": 'export * from "./a.js";',
        "packages/runtime/src/long.ts": 'import "./c.js";',
        "packages/runtime/src/d.ts": 'import "./a.js";',
      }),
    ).toEqual([
      "packages/runtime/src/a.ts:1: import cycle packages/runtime/src/a.ts → packages/runtime/src/b.ts → " +
        "packages/runtime/src/c.ts → packages/runtime/src/a.ts; none is allowed, type imports included",
    ]);
  });

  it("are found where a file imports itself", () => {
    expect(problemsOf({ "packages/runtime/src/a.ts": 'import "./a.js";' })).toHaveLength(1);
  });
});
