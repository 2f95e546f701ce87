// The one gate: every static check, then the tests with their coverage. `npm run ok`; with `--static` the checks alone.
// Each check is a script of package.json, so that it can be run by itself. All run even when one fails; the last lines
// name what failed. Expects a built tree (`tools/with-setup.mjs` sees to it).
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { argv, env, exit, stdout } from "node:process";
import { root } from "./repository.mjs";

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const checks = ["lint", "format:check", ...Object.keys(scripts).filter((name) => name.startsWith("check:"))];
if (!argv.includes("--static")) checks.push("test:built");

const path = [join(root, "node_modules", ".bin"), env.PATH].join(delimiter);
const failed = [];
for (const name of checks) {
  stdout.write(`\n── ${name}\n`);
  const started = performance.now();
  const { status, error } = spawnSync(scripts[name], {
    cwd: root,
    stdio: "inherit",
    shell: true,
    env: { ...env, PATH: path },
  });
  if (error !== undefined) stdout.write(`${error.message}\n`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  stdout.write(`── ${name}: ${status === 0 ? "ok" : "FAILED"}, ${seconds} s\n`);
  if (status !== 0) failed.push(name);
}
stdout.write(
  failed.length === 0
    ? `\nok: all ${checks.length} checks hold\n`
    : `\nnot ok: ${failed.length} of ${checks.length} failed: ${failed.join(", ")}\n`,
);
exit(failed.length === 0 ? 0 : 1);
