// The `sluice` process: its streams and signals, and its end.
import { constants } from "node:os";
import { keepHeapCompact } from "@sluice/runtime";
import { exitCodes } from "./exit-codes.js";
import { report, runProgram } from "./run-program.js";
import type { OutputStream, Terminal } from "./terminal/terminal.js";

keepHeapCompact();

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const interruption = new AbortController();
let hangup: (() => void) | undefined;
const terminal: Terminal = {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupted: interruption.signal,
  onHangup: (listener) => {
    hangup = listener;
  },
};

for (const signal of endSignals) {
  process.on(signal, () => {
    if (signal === "SIGHUP" && hangup !== undefined) return hangup();
    if (interruption.signal.aborted) process.exit(128 + constants.signals[signal]);
    interruption.abort();
  });
}
// Whoever read our output has gone (`| head`): there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: Error) => {
    process.exit("code" in error && error.code === "EPIPE" ? exitCodes.ok : exitCodes.failure);
  });
}
process.on("uncaughtException", (error) => void report(error, terminal).then((code) => process.exit(code)));

const exitCode = await runProgram(process.argv.slice(2), terminal);
await Promise.all([written(process.stdout), written(process.stderr)]);
process.exit(exitCode);

/** Resolves when all that was written has left the process. */
function written(stream: OutputStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}
