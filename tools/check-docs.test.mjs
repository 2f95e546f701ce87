import { expect, it } from "vitest";
import { checkDependencies, checkDocs } from "./check-docs.mjs";
import { formatProblems } from "./problems.mjs";

function problemsOf(pages, others = []) {
  const texts = new Map(Object.entries(pages));
  return formatProblems(checkDocs(texts, new Set([...texts.keys(), ...others])));
}

it("accepts links to files, folders, headings and other sites", () => {
  expect(
    problemsOf(
      {
        "README.md":
          "[a](docs/a.md) [h](docs/a.md#5-falling-behind) [d](docs/decisions) [w](https://example.org/x)\n![i](logo.png)",
        "docs/a.md":
          "# A\n## 5. Falling behind\n[up](../README.md) [here](#a) `packages/server/src`\n[b]: decisions/README.md",
        "docs/decisions/README.md": "",
      },
      ["logo.png", "packages/server/src/log/event-log.ts"],
    ),
  ).toEqual([]);
});

it("names links, anchors and paths that lead nowhere, and pages nobody links to", () => {
  expect(
    problemsOf({
      "README.md": "\n[gone](docs/gone.md)\n[a](docs/a.md#no-such)\n[r]: missing.md\n",
      "docs/a.md": "# A\nSee `packages/server/src/gone.ts`.",
      "docs/lonely.md": "# Lonely",
    }),
  ).toEqual([
    "README.md:2: the link docs/gone.md leads nowhere; docs/gone.md does not exist",
    "README.md:3: the link docs/a.md#no-such leads to no heading of docs/a.md",
    "README.md:4: the link missing.md leads nowhere; missing.md does not exist",
    "docs/a.md:2: `packages/server/src/gone.ts` does not exist",
    "docs/lonely.md:1: is linked from no page that the README leads to",
  ]);
});

it("leaves code alone, globs and placeholders too", () => {
  expect(
    problemsOf({
      "README.md":
        "```js\n[x](nowhere.md)\n```\n`[x](nowhere.md)` `packages/*/src` `packages/<name>/src` `tests/{a,b}.ts`",
    }),
  ).toEqual([]);
});

it("numbers repeated headings", () => {
  expect(problemsOf({ "README.md": "# A\n## Use\n## Use\n[x](#use-1)" })).toEqual([]);
  expect(problemsOf({ "README.md": "# A\n## Use\n[x](#use-1)" })).toHaveLength(1);
});

it("wants a row for every dependency, and no row for what is none", () => {
  const page = "| package | used by |\n|---|---|\n| `ws` | server |\n| `gone` | nobody |\n";
  const manifest = '{\n"dependencies": {\n"@sluice/protocol": "1",\n"ws": "8",\n"new": "1" } }';
  expect(formatProblems(checkDependencies(page, new Map([["packages/server/package.json", manifest]])))).toEqual([
    "docs/decisions/0000-dependencies.md:4: gone is no dependency of any package; take the row out",
    "packages/server/package.json:5: new is not argued for; give it a row in docs/decisions/0000-dependencies.md",
  ]);
});
