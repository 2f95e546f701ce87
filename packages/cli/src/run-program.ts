// One run of the program: arguments in, exit code out. All that people read of a failure is written here.
import { debuglog } from "node:util";
import { CommanderError } from "commander";
import { CliError } from "./cli-error.js";
import { exitCodes } from "./exit-codes.js";
import { createProgram } from "./program.js";
import { paintFor } from "./terminal/paint.js";
import { takesColour, tell, type Terminal } from "./terminal/terminal.js";

/** What a fault of ours looked like inside: `NODE_DEBUG=sluice`. */
const debug = debuglog("sluice");

/** Runs the command that `args` (without program names) ask for. @returns the exit code; never throws. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = createProgram(terminal);
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    return await report(error, terminal);
  }
}

/** Tells what went wrong. @returns the exit code. */
export async function report(error: unknown, terminal: Terminal): Promise<number> {
  const paint = paintFor(takesColour(terminal.stderr, terminal.env));
  if (error instanceof CommanderError) {
    // Help and version, which commander throws for as well, have written their text.
    if (error.exitCode === 0 || error.code === "commander.help")
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    // A mistyped option is repeated with what was given to it, which may be a token.
    const { scrub } = await import("@sluice/runtime");
    tell(terminal, `${paint.bad("sluice:")} ${scrub(error.message.replace(/^error: /, ""))}`);
    tell(terminal, paint.dim("--help shows how it is used."));
    return exitCodes.usage;
  }
  if (error instanceof CliError) {
    tell(terminal, `${paint.bad("sluice:")} ${error.message}`);
    if (error.hint !== undefined) tell(terminal, paint.dim(error.hint));
    if (error.cause !== undefined) debug("%o", error.cause);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  tell(terminal, `${paint.bad("sluice:")} a fault of ours: ${message}`);
  tell(terminal, paint.dim("NODE_DEBUG=sluice shows where."));
  debug("%o", error);
  return exitCodes.software;
}
