// What a page loads of the client, with what it uses of the protocol: bundled, minified and gzipped, under its limit.
// What is loaded only by those who publish is counted apart, and held as well.
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { runCheck } from "./problems.mjs";
import { root } from "./repository.mjs";

const clientEntry = join(root, "packages/client/dist/index.js");

/** Most bytes of what every page loads, gzipped. */
export const entryBytesMax = 8 * 1024;
/** Most bytes of what is loaded when it is needed, gzipped. */
export const laterBytesMax = 1_280;

/**
 * The chunks of a page that calls `connect`, and what it loads only later. Expects a built tree.
 * @returns {Promise<{ first: string[], later: string[] }>}
 */
export async function bundleClient() {
  const bundle = await rolldown({
    input: "page",
    platform: "browser",
    logLevel: "silent",
    plugins: [
      {
        name: "page",
        resolveId: (id) => (id === "page" ? id : undefined),
        load: (id) => (id === "page" ? `export { connect } from ${JSON.stringify(clientEntry)};` : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const entry = output.find((chunk) => chunk.isEntry);
  const first = output.filter((chunk) => chunk === entry || entry.imports.includes(chunk.fileName));
  const codes = (chunks) => chunks.map(({ code }) => code);
  return { first: codes(first), later: codes(output.filter((chunk) => !first.includes(chunk))) };
}

const gzippedBytes = (codes) => codes.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
const chunks = await bundleClient();
const entry = gzippedBytes(chunks.first);
const later = gzippedBytes(chunks.later);
const problems = [
  { bytes: entry, max: entryBytesMax, file: "packages/client/src/index.ts" },
  { bytes: later, max: laterBytesMax, file: "packages/client/src/publisher.ts" },
]
  .filter(({ bytes, max }) => bytes > max)
  .map(({ bytes, max, file }) => ({ file, line: 1, message: `${bytes} bytes gzipped; at most ${max}` }));
runCheck(import.meta.url, "check-size", () => ({
  problems,
  looked: `@sluice/client is ${entry} bytes gzipped of ${entryBytesMax}, and ${later} more for who publishes`,
}));
