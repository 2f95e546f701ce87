// `sluice start`: a service to try Sluice with, and all that is needed to do so.
import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.js";

const examples = `
Examples:
    $ sluice start
    $ sluice start --server.port=9000 --demo.interval_ms=250

Keeps its log and its secret in ./data. For a service that stays, see sluice serve --help.`;

/** `sluice start`. */
export function startCommand(terminal: Terminal): Command {
  return new Command("start")
    .description("Try Sluice: a service with this machine's load as events, and a token for it")
    .usage("[--config <file>] [--any.setting=value]…")
    .option("--config <file>", "YAML file (default: SLUICE_CONFIG, or none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", examples)
    .action(async ({ config }: { config?: string }, command: Command) => {
      const { start } = await import("../start/start.js");
      await start({ config, flags: command.args }, terminal);
    });
}
