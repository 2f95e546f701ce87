// Keeps out of the repository what belongs to one machine or to nobody: absolute paths of a developer's machine,
// registry hosts, private keys and signed tokens.
import { runCheck } from "./problems.mjs";
import { readFiles } from "./repository.mjs";

/** Files that name these things because they look for them. */
const exempt = new Set(["tools/check-words.mjs", "tools/check-words.test.mjs", "package-lock.json"]);

/** What must not be written, and what to do about it. */
export const forbidden = [
  {
    pattern: /(?<![\w.~/-])\/(?:home|mnt|root|Users|work|workspace)\/[\w.-]+/,
    message: "is a path of one machine; write it from the root of the repository",
  },
  {
    pattern: /(?<![\w.~/-])\/tmp\/(?!sluice)[\w.-]+/,
    message: "is a temporary place of one machine; code asks os.tmpdir(), examples begin with /tmp/sluice",
  },
  {
    pattern: /\bregistry\.[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}\b/i,
    message: "is a package registry; which one is used is the machine's own setting",
  },
  {
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
    message: "begins a private key; tests make their keys as they run",
  },
  {
    pattern: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{43,}/,
    message: "is a signed token; tests sign their tokens as they run",
  },
];

/**
 * @param {ReadonlyMap<string, string>} files path → text
 * @returns {import("./problems.mjs").Problem[]}
 */
export function checkWords(files) {
  const problems = [];
  for (const [file, text] of files) {
    if (exempt.has(file)) continue;
    for (const [index, content] of text.split("\n").entries()) {
      for (const { pattern, message } of forbidden) {
        const found = pattern.exec(content);
        if (found !== null) problems.push({ file, line: index + 1, message: `"${shorten(found[0])}" ${message}` });
      }
    }
  }
  return problems;
}

/** Enough to find it by, and never a whole secret. */
const shorten = (text) => (text.length > 40 ? `${text.slice(0, 12)}…` : text);

runCheck(import.meta.url, "check-words", () => {
  const files = readFiles((path) => !/\.(?:png|ico|woff2?|gz|zip)$/.test(path));
  return { problems: checkWords(files), looked: `${files.size} files` };
});
