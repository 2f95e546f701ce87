// Tells a tool that was started from one that a test imports.
import { realpathSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

/** Whether the module with this `import.meta.url` is the program that Node was started with. */
export function isProgram(/** @type {string} */ moduleUrl) {
  const started = argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(moduleUrl);
}
