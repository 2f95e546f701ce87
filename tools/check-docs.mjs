// Holds Markdown to the tree: relative links and their anchors lead somewhere, paths in backticks exist, every page of
// docs/ can be reached from the README, and every dependency at run time is argued for.
import { posix } from "node:path";
import { lineAt, runCheck } from "./problems.mjs";
import { listFiles, readFiles } from "./repository.mjs";

/** Folders whose names in backticks are taken for paths of the repository. */
const pathInText = /^(?:packages|tools|tests|benches|docs|deploy|\.ci|\.github)\/[\w./-]+$/;

/**
 * @param {ReadonlyMap<string, string>} pages path → text of the Markdown files
 * @param {ReadonlySet<string>} files every path of the repository
 * @returns {import("./problems.mjs").Problem[]}
 */
export function checkDocs(pages, files) {
  const problems = [];
  const folders = foldersOf(files);
  const exists = (path) => files.has(path) || folders.has(path.replace(/\/$/, ""));
  const linked = new Map();

  for (const [file, text] of pages) {
    const prose = blankCode(text);
    const say = (offset, message) => problems.push({ file, line: lineAt(text, offset), message });
    const targets = [];
    linked.set(file, targets);
    for (const { target, offset } of linksOf(prose)) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
      const [path, anchor] = target.split("#", 2);
      const to = path === "" ? file : posix.normalize(posix.join(posix.dirname(file), path));
      if (!exists(to)) say(offset, `the link ${target} leads nowhere; ${to} does not exist`);
      else if (anchor && pages.has(to) && !anchorsOf(pages.get(to)).has(anchor)) {
        say(offset, `the link ${target} leads to no heading of ${to}`);
      }
      targets.push(to);
    }
    for (const { 1: code, index } of prose.matchAll(/`([^`\n]+)`/g)) {
      if (pathInText.test(code) && !exists(posix.normalize(code))) say(index, `\`${code}\` does not exist`);
    }
  }
  for (const page of unreachable(pages, linked)) {
    problems.push({ file: page, line: 1, message: "is linked from no page that the README leads to" });
  }
  return problems;
}

/** Where every dependency at run time has its row. */
const dependenciesPage = "docs/decisions/0000-dependencies.md";

/**
 * Dependencies without a row in the table of decisions, and rows of what is no longer one.
 * @param {string} page text of the decision
 * @param {ReadonlyMap<string, string>} manifests path → text of the packages' package.json
 * @returns {import("./problems.mjs").Problem[]}
 */
export function checkDependencies(page, manifests) {
  const problems = [];
  const argued = new Map();
  for (const row of page.matchAll(/^\| `([^`]+)` \|/gm)) argued.set(row[1], lineAt(page, row.index));
  const used = new Set();
  for (const [file, text] of manifests) {
    for (const name of Object.keys(JSON.parse(text).dependencies ?? {})) {
      if (name.startsWith("@sluice/")) continue;
      used.add(name);
      if (argued.has(name)) continue;
      const line = lineAt(text, text.indexOf(`"${name}"`));
      problems.push({ file, line, message: `${name} is not argued for; give it a row in ${dependenciesPage}` });
    }
  }
  for (const [name, line] of argued) {
    if (used.has(name)) continue;
    problems.push({
      file: dependenciesPage,
      line,
      message: `${name} is no dependency of any package; take the row out`,
    });
  }
  return problems;
}

/** The text with fenced blocks blanked out, offsets kept. */
function blankCode(text) {
  return text.replace(/^ *(```|~~~)[^\n]*\n[\s\S]*?^ *\1[^\n]*$/gm, (block) => block.replace(/[^\n]/g, " "));
}

/** Inline links, images and reference definitions; not those in backticks. */
function linksOf(prose) {
  const plain = prose.replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
  const inline = [...plain.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const definitions = [...plain.matchAll(/^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$/gm)];
  return [...inline, ...definitions].map((found) => ({ target: decodeURI(found[1]), offset: found.index }));
}

/** Heading anchors as code hosts make them. */
function anchorsOf(text) {
  const anchors = new Set();
  for (const { 1: heading } of blankCode(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const base = words.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    let anchor = base;
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${base}-${copy}`;
    anchors.add(anchor);
  }
  for (const { 1: id } of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

function foldersOf(files) {
  const folders = new Set(["", "."]);
  for (const file of files) {
    for (let at = posix.dirname(file); at !== "."; at = posix.dirname(at)) folders.add(at);
  }
  return folders;
}

/** Pages of docs/ to which no way of links leads from the README; a link to a folder leads to its README. */
function unreachable(pages, linked) {
  if (!pages.has("README.md")) return [];
  const seen = new Set(["README.md"]);
  for (const page of seen) {
    for (const target of linked.get(page) ?? []) {
      const to = pages.has(target) ? target : posix.join(target, "README.md");
      if (pages.has(to)) seen.add(to);
    }
  }
  return [...pages.keys()].filter((page) => page.startsWith("docs/") && !seen.has(page));
}

runCheck(import.meta.url, "check-docs", () => {
  const pages = readFiles((path) => path.endsWith(".md"));
  const manifests = readFiles((path) => /^(?:packages\/[^/]+|benches)\/package\.json$/.test(path));
  const problems = checkDocs(pages, new Set(listFiles()));
  problems.push(...checkDependencies(pages.get(dependenciesPage) ?? "", manifests));
  return { problems, looked: `${pages.size} pages` };
});
