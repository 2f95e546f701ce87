// What a page loads of the client, with what it uses of the protocol: bundled, minified and gzipped, under its limit. All of
// it counts, also what a bundler would load later.
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { runCheck } from "./problems.mjs";
import { root } from "./repository.mjs";

const clientEntry = join(root, "packages/client/dist/index.js");

/** Most bytes, gzipped. */
export const bytesMax = 8_000;

/**
 * The chunks of a page that calls `connect`. Expects a built tree.
 * @returns {Promise<string[]>}
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
  return output.map(({ code }) => code);
}

const chunks = await bundleClient();
const bytes = chunks.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0);
const file = "packages/client/src/index.ts";
runCheck(import.meta.url, "check-size", () => ({
  problems: bytes > bytesMax ? [{ file, line: 1, message: `${bytes} bytes gzipped; at most ${bytesMax}` }] : [],
  looked: `@sluice/client is ${bytes} bytes gzipped of ${bytesMax}`,
}));
