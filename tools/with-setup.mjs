// Brings a fresh clone to where a task can run, then runs it: `node tools/with-setup.mjs <task> [arguments]`.
// Plain Node without dependencies, because it is what installs them. Progress goes to stderr, so that a task's output
// stays its own. Tasks: test, start, bench, ok (the gate), setup (nothing more).
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { argv, env, execPath, exit, platform, stderr, versions } from "node:process";
import { fileURLToPath } from "node:url";
import { installIsCurrent, isAtLeast } from "./install-state.mjs";

/** Oldest versions that the packages and the lock file work with. */
const nodeVersionMin = "20.19.0";
const npmVersionMin = "10.0.0";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const vitest = join("node_modules", "vitest", "vitest.mjs");

/** Task → the programs it runs with Node, each with its first arguments. */
const tasks = {
  test: (rest) => [vitest, "run", ...(rest.length === 0 ? ["--coverage"] : rest)],
  start: (rest) => [join("packages", "cli", "bin", "sluice.js"), "start", ...rest],
  ok: (rest) => [join("tools", "ok.mjs"), ...rest],
  bench: (rest) => [join("benches", "dist", "bench.js"), ...rest],
  setup: () => undefined,
};

const [name = "", ...rest] = argv.slice(2);
if (!Object.hasOwn(tasks, name)) {
  fail(`Usage: node tools/with-setup.mjs <${Object.keys(tasks).join("|")}> [arguments]`, 2);
}
if (!isAtLeast(versions.node, nodeVersionMin)) {
  fail(`Sluice needs Node ${nodeVersionMin} or newer; this is Node ${versions.node}.`);
}
if (existsSync(join(root, "package-lock.json")) && !installIsCurrent(readLock("package-lock.json"), readInstalled())) {
  await refuseOldNpm();
  await step("installing dependencies", npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"));
}
await step("building", [execPath, join("node_modules", "typescript", "bin", "tsc"), "-b"]);

const task = tasks[name](rest);
if (task !== undefined) exit(await run([execPath, ...task]));

/** What npm wrote when it last installed; undefined where it has not. */
function readInstalled() {
  return existsSync(join(root, "node_modules", ".package-lock.json"))
    ? readLock(join("node_modules", ".package-lock.json"))
    : undefined;
}

function readLock(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** npm's own program where npm started us, so that it is the same npm; otherwise the one on the PATH. */
function npm(...words) {
  return env.npm_execpath?.endsWith(".js") ? [execPath, env.npm_execpath, ...words] : ["npm", ...words];
}

async function refuseOldNpm() {
  const version = /\bnpm\/(\S+)/.exec(env.npm_config_user_agent ?? "")?.[1];
  if (version !== undefined && !isAtLeast(version, npmVersionMin)) {
    fail(`Sluice needs npm ${npmVersionMin} or newer; this is npm ${version}.`);
  }
}

async function step(what, command) {
  stderr.write(`sluice: ${what} …\n`);
  const started = performance.now();
  const code = await run(command);
  if (code !== 0) fail(`sluice: ${what} failed (${command.slice(0, 3).join(" ")}, exit code ${code})`, code);
  stderr.write(`sluice: ${what} done, ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

/** The terminal sends Ctrl-C to the child as well: it ends in its own time, and we with it. */
function onInterrupt() {}

/** Runs a command to its end with our terminal and signals; resolves to its exit code, 128 + n after signal n. */
function run([program, ...words]) {
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: root,
      stdio: "inherit",
      shell: program === "npm" && platform === "win32",
    });
    const onTerminate = () => child.kill("SIGTERM");
    process.on("SIGINT", onInterrupt);
    process.on("SIGTERM", onTerminate);
    const end = (code) => {
      process.off("SIGINT", onInterrupt);
      process.off("SIGTERM", onTerminate);
      resolve(code);
    };
    child.on("error", (error) => {
      stderr.write(`sluice: cannot start ${program}: ${error.message}\n`);
      end(127);
    });
    child.on("exit", (code, signal) => end(code ?? 128 + constants.signals[signal]));
  });
}

function fail(message, code = 1) {
  stderr.write(`${message}\n`);
  exit(code);
}
