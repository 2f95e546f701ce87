// The repository as the checks see it: files that git tracks or would track, with their texts, and the workspaces.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository's root. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Most bytes of `git ls-files` output; the repository would need some 500,000 files to pass it. */
const listingBytesMax = 64 * 1024 * 1024;

/**
 * Paths from the root, sorted: tracked files and new ones that no ignore rule covers, less those deleted on disk.
 * @returns {string[]}
 */
export function listFiles() {
  const listing = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: listingBytesMax,
  });
  return [...new Set(listing.split("\0"))].filter((path) => path !== "" && existsSync(join(root, path))).toSorted();
}

/** Whether a file is for tests alone: tests, behaviours of the whole, what several tests share, programs they start. */
export function isTest(/** @type {string} */ path) {
  return /\.test\.[^/]+$|-contract\.ts$|\/(?:contract|fixtures)\/|^tests\//.test(path);
}

/**
 * Path → text of the files whose path `wanted` accepts.
 * @param {(path: string) => boolean} wanted
 * @returns {Map<string, string>}
 */
export function readFiles(wanted) {
  const texts = new Map();
  for (const path of listFiles()) {
    if (wanted(path)) texts.set(path, readFileSync(join(root, path), "utf8"));
  }
  return texts;
}
