// Writes the pages of docs/ that are tables of what the code defines: settings, metrics, codes. With --check it writes
// nothing and fails when a page is not what the code says. Reads the built packages, so build first.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { closeMeanings, closes, errorCodes, problemTypes } from "@sluice/protocol";
import { authFailures, metricsMarkdown, settingsMarkdown } from "@sluice/runtime";
import { isProgram } from "./is-program.mjs";
import { runCheck } from "./problems.mjs";
import { root } from "./repository.mjs";

const duties = {
  reconnect: "reconnect with backoff, resume",
  "reconnect-after": "reconnect after `reconnect_after_ms`, resume",
  "new-token": "get a new token, reconnect, resume",
  stop: "stop",
};

function table(/** @type {readonly string[]} */ heads, /** @type {readonly (readonly unknown[])[]} */ rows) {
  const line = (/** @type {readonly unknown[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [line(heads), `|${"---|".repeat(heads.length)}`, ...rows.map(line), ""];
}

/** docs/codes.md. */
export function codesMarkdown() {
  return [
    "# Codes",
    "",
    "Made by `node tools/generate-docs.mjs` from the tables in `packages/protocol/src` and `packages/runtime/src`; edit those.",
    "",
    "## Close codes",
    "",
    "How a connection ends, and what the client does then ([protocol.md](protocol.md)).",
    "",
    ...table(
      ["code", "reason", "sent when", "client's duty"],
      Object.entries(closes).map(([name, { code, reason, duty }]) => [code, reason, closeMeanings[name], duties[duty]]),
    ),
    "## Error codes",
    "",
    "What an `error` frame carries; the connection lives on.",
    "",
    ...table(
      ["code", "when"],
      Object.entries(errorCodes).map(([code, when]) => [`\`${code}\``, when]),
    ),
    "## Problem types",
    "",
    "What an HTTP answer that is an error carries (RFC 9457).",
    "",
    ...table(
      ["name", "status", "title", "when"],
      Object.entries(problemTypes).map(([name, { status, title, when }]) => [`\`${name}\``, status, title, when]),
    ),
    "## Reasons of failed authentication",
    "",
    "The label `reason` of the metric `sluice_auth_failures_total`.",
    "",
    ...table(
      ["reason", "status", "what the caller is told"],
      Object.entries(authFailures).map(([reason, { status, message }]) => [`\`${reason}\``, status, message]),
    ),
  ].join("\n");
}

/** Path → text of every page that is made here. */
export function generatedPages() {
  return new Map([
    ["docs/codes.md", codesMarkdown()],
    ["docs/metrics.md", metricsMarkdown()],
    ["docs/settings.md", settingsMarkdown()],
  ]);
}

/**
 * Where pages are not what they should be: the first line of each that differs.
 * @param {ReadonlyMap<string, string>} pages path → text, as made
 * @param {ReadonlyMap<string, string>} written path → text, as on disk; none for a page that is missing
 * @returns {import("./problems.mjs").Problem[]}
 */
export function outdatedPages(pages, written) {
  const problems = [];
  for (const [file, text] of pages) {
    const now = (written.get(file) ?? "").split("\n");
    const wanted = text.split("\n");
    const at = Array.from({ length: Math.max(now.length, wanted.length) }).findIndex((_, i) => now[i] !== wanted[i]);
    if (at === -1) continue;
    const told = wanted[at] === undefined ? "a line too many" : `the code says ${JSON.stringify(wanted[at])}`;
    problems.push({ file, line: at + 1, message: `${told}; run node tools/generate-docs.mjs` });
  }
  return problems;
}

if (argv.includes("--check")) {
  runCheck(import.meta.url, "generate-docs", () => {
    const pages = generatedPages();
    const onDisk = [...pages.keys()].filter((file) => existsSync(join(root, file)));
    const written = new Map(onDisk.map((file) => [file, readFileSync(join(root, file), "utf8")]));
    return { problems: outdatedPages(pages, written), looked: `${pages.size} pages` };
  });
} else if (isProgram(import.meta.url)) {
  for (const [file, text] of generatedPages()) writeFileSync(join(root, file), text);
  stdout.write(`generate-docs: wrote ${[...generatedPages().keys()].join(", ")}\n`);
}
