// What would be published, packed and judged by publint: entry points exist, types come first, nothing is missing.
// Expects a built tree.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { runCheck } from "./problems.mjs";
import { listFiles, root } from "./repository.mjs";

const manifests = listFiles()
  .filter((path) => /^packages\/[^/]+\/package\.json$/.test(path))
  .map((path) => ({ path, manifest: JSON.parse(readFileSync(join(root, path), "utf8")) }))
  .filter(({ manifest }) => manifest.private !== true);

const problems = [];
for (const { path, manifest } of manifests) {
  const { messages } = await publint({ pkgDir: join(root, path, ".."), pack: "npm", strict: true });
  for (const message of messages) {
    problems.push({ file: path, line: 1, message: formatMessage(message, manifest, { color: false }) ?? message.code });
  }
}

runCheck(import.meta.url, "check-packages", () => ({ problems, looked: `${manifests.length} packages` }));
