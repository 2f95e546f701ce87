// Holds the directions of imports (ARCHITECTURE.md, "The rooms"): between packages, between the stages of the
// streaming service, no cycle anywhere, dependencies declared, nobody in another package's internals.
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { findCycles } from "./import-cycles.mjs";
import { runCheck } from "./problems.mjs";
import { isTest, readFiles } from "./repository.mjs";
import { importsOf } from "./source-imports.mjs";

/** Package → packages of ours that it may import. A package that is not listed is a problem. */
export const directions = new Map([
  ["protocol", []],
  ["client", ["protocol"]],
  ["runtime", ["protocol"]],
  ["server", ["runtime", "protocol"]],
  ["gateway", ["runtime", "protocol"]],
  ["console", ["client", "protocol"]],
  ["cli", ["protocol", "client", "runtime", "server", "gateway", "console"]],
  ["testkit", ["protocol", "client", "runtime", "server", "gateway", "console", "cli"]],
]);

/** Packages for any runtime, browsers included: no `node:` module outside their tests. */
export const anyRuntime = new Set(["protocol", "client", "console"]);

/** Folders of packages/server/src, from left to right: each imports itself and what stands left of it. */
export const stages = ["log", "nodes", "routing", "delivery", "session", "endpoint"];

/** Files beside the folders: they put the stages together, so they import any of them and none imports them. */
const assembly = "create-server.ts and its neighbours";

const scope = "@sluice/";
const isSource = (path) => /\.(?:[cm]?[jt]s|tsx)$/.test(path) && !path.endsWith(".d.ts");
const packageOf = (path) => /^packages\/([^/]+)\//.exec(path)?.[1];

/** `@a/b/c` → `@a/b`, `a/b` → `a`. */
const dependencyOf = (specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/**
 * @param {ReadonlyMap<string, string>} files path → text of the sources and of every package.json and tsconfig.json
 * @returns {import("./problems.mjs").Problem[]}
 */
export function checkImports(files) {
  const problems = [];
  const graph = new Map();
  for (const [path, text] of files) {
    if (!isSource(path)) continue;
    const targets = [];
    for (const { specifier, line } of importsOf(path, text)) {
      const target = specifier.startsWith(".") ? resolveRelative(path, specifier) : undefined;
      if (target !== undefined) targets.push(target);
      const wrong = target === undefined ? judgeBare(path, specifier, files) : judgeRelative(path, target);
      if (wrong !== undefined) problems.push({ file: path, line, message: wrong });
    }
    graph.set(path, targets);
  }
  for (const cycle of findCycles(graph)) {
    const way = [...cycle, cycle[0]].join(" → ");
    problems.push({ file: cycle[0], line: 1, message: `import cycle ${way}; none is allowed, type imports included` });
  }
  return [...problems, ...judgePackages(files)];
}

/** The source file that a relative specifier stands for: `./a.js` is `a.ts` in TypeScript. */
function resolveRelative(path, specifier) {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (!/\.tsx?$/.test(path)) return target;
  return target.replace(/\.jsx$/, ".tsx").replace(/\.js$/, ".ts");
}

function judgeRelative(path, target) {
  const from = packageOf(path);
  const to = packageOf(target);
  if (to !== from && to !== undefined) {
    return `reaches into packages/${to}; import ${scope}${to} by its name, from what its package.json exports`;
  }
  if (from !== undefined && to === undefined) return `leaves packages/${from}; a package imports only packages by name`;
  return target.startsWith("packages/server/src/") ? judgeStages(path, target) : undefined;
}

function judgeStages(path, target) {
  const order = [...stages, assembly];
  const [from, to] = [path, target].map((file) => {
    const folder = /^packages\/server\/src\/(?:([^/]+)\/)?/.exec(file)?.[1];
    return order.indexOf(folder ?? assembly);
  });
  if (from === -1) return `stands in no stage; packages/server/src holds ${order.join(" ← ")}`;
  if (to > from) return `${order[from]} imports ${order[to]}; imports go only left: ${order.join(" ← ")}`;
  return undefined;
}

function judgeBare(path, specifier, files) {
  const from = packageOf(path);
  if (isBuiltin(specifier)) {
    if (!specifier.startsWith("node:")) return `built-in modules are imported as node:${specifier}`;
    if (from !== undefined && anyRuntime.has(from) && !isTest(path)) {
      return `packages/${from} is for any runtime; ${specifier} exists only in Node`;
    }
    return undefined;
  }
  if (from === undefined) return undefined;
  // An example is a user of its own package.
  if (path.startsWith(`packages/${from}/example/`) && specifier === scope + from) return undefined;
  return specifier.startsWith(scope) ? judgeOurs(from, specifier, files) : judgeDeclared(path, from, specifier, files);
}

function judgeOurs(from, specifier, files) {
  const to = dependencyOf(specifier).slice(scope.length);
  const allowed = directions.get(from) ?? [];
  if (!allowed.includes(to)) {
    const may = allowed.length === 0 ? "none of ours" : allowed.join(", ");
    return `packages/${from} imports ${to}; it may import ${may}`;
  }
  const subpath = `.${specifier.slice(scope.length + to.length)}`;
  const exported = Object.keys(manifestOf(files, `packages/${to}/package.json`).exports ?? {});
  if (!exported.includes(subpath)) {
    return `${specifier} is internal to packages/${to}; its package.json exports ${exported.join(", ")}`;
  }
  return scope + to in dependenciesOf(files, from)
    ? undefined
    : `${scope}${to} is not in the dependencies of packages/${from}/package.json`;
}

function judgeDeclared(path, from, specifier, files) {
  const name = dependencyOf(specifier);
  if (name in dependenciesOf(files, from)) return undefined;
  if (!isTest(path)) return `${name} is not in the dependencies of packages/${from}/package.json`;
  const own = manifestOf(files, `packages/${from}/package.json`).devDependencies ?? {};
  const shared = manifestOf(files, "package.json").devDependencies ?? {};
  if (name in own || name in shared) return undefined;
  return `${name} is declared neither in packages/${from}/package.json nor in the root's devDependencies`;
}

/** What the manifests and build references say has to agree with the directions as well. */
function judgePackages(files) {
  const problems = [];
  for (const path of files.keys()) {
    const name = /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1];
    if (name === undefined) continue;
    const say = (file, message) => problems.push({ file, line: 1, message });
    const allowed = directions.get(name);
    if (allowed === undefined) {
      say(path, `packages/${name} has no direction; add it to tools/check-imports.mjs and ARCHITECTURE.md`);
      continue;
    }
    const config = `packages/${name}/tsconfig.json`;
    const references = new Set((manifestOf(files, config).references ?? []).map((reference) => reference.path));
    for (const dependency of Object.keys(dependenciesOf(files, name))) {
      if (!dependency.startsWith(scope)) continue;
      const to = dependency.slice(scope.length);
      if (!allowed.includes(to))
        say(path, `depends on ${dependency}; it may depend on ${allowed.join(", ") || "none"}`);
      if (files.has(config) && !references.has(`../${to}`)) say(config, `lacks the reference ../${to}, a dependency`);
    }
  }
  return problems;
}

function dependenciesOf(files, name) {
  const manifest = manifestOf(files, `packages/${name}/package.json`);
  return { ...manifest.dependencies, ...manifest.peerDependencies };
}

function manifestOf(files, path) {
  return JSON.parse(files.get(path) ?? "{}");
}

runCheck(import.meta.url, "check-imports", () => {
  const files = readFiles(
    (path) => isSource(path) || /(?:^|\/)package\.json$/.test(path) || /^packages\/[^/]+\/tsconfig\.json$/.test(path),
  );
  return { problems: checkImports(files), looked: `${[...files.keys()].filter(isSource).length} files` };
});
