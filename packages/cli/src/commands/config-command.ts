// `sluice config check` and `sluice config print`.
import { Command } from "commander";
import { paintFor } from "../terminal/paint.js";
import { takesColour, tell, type Terminal } from "../terminal/terminal.js";

const checkExamples = `
Examples:
  A file:
    $ sluice config check sluice.yaml
  What \`sluice serve\` would be started with, flags and environment included:
    $ SLUICE_LOG__DIR=/var/lib/sluice sluice config check sluice.yaml --server.port=8080

Exit code: 0 when valid, 78 with every problem on stderr when not.`;

const printExamples = `
Examples:
  A file to begin with:
    $ sluice config print > sluice.yaml
  What is in force, from file, environment and flags:
    $ sluice config print --effective --config sluice.yaml`;

/** `sluice config`, with its two commands. */
export function configCommand(terminal: Terminal): Command {
  const command = new Command("config").description("Check or print the configuration");
  command.addHelpText(
    "after",
    `
Examples:
    $ sluice config print > sluice.yaml
    $ sluice config check sluice.yaml`,
  );
  return command.addCommand(checkCommand(terminal)).addCommand(printCommand(terminal));
}

function checkCommand(terminal: Terminal): Command {
  return new Command("check")
    .description("Say everything that is wrong with a configuration")
    .usage("[options] [file] [--any.setting=value]…")
    .argument("[file]", "YAML file (default: SLUICE_CONFIG, or none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", checkExamples)
    .action(async (_file: string | undefined, _options: unknown, command: Command) => {
      const [named, flags] = splitFile(command.args);
      const { settingsOrProblems } = await import("../config/settings-or-problems.js");
      const { warnings } = settingsOrProblems({
        ...(named === undefined ? {} : { file: named }),
        env: terminal.env,
        flags,
        requireAuth: true,
      });
      const paint = paintFor(takesColour(terminal.stderr, terminal.env));
      for (const warning of warnings) tell(terminal, paint.warn(`warning: ${warning}`));
      terminal.stdout.write("configuration is valid\n");
    });
}

function printCommand(terminal: Terminal): Command {
  return new Command("print")
    .description("Print every setting as YAML: the defaults with comments, or what is in force")
    .usage("[options] [--any.setting=value]…")
    .option("--effective", "what is in force, secrets masked, in place of the defaults")
    .option("--config <file>", "YAML file for --effective (default: SLUICE_CONFIG, or none)")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", printExamples)
    .action(async (options: { effective?: boolean; config?: string }, command: Command) => {
      const { printSettings } = await import("@sluice/runtime");
      const isEffective = options.effective === true || options.config !== undefined || command.args.length > 0;
      if (!isEffective) {
        terminal.stdout.write(printSettings(undefined, { comments: true }));
        return;
      }
      const { settingsOrProblems } = await import("../config/settings-or-problems.js");
      const { config } = options;
      const { settings } = settingsOrProblems({
        ...(config === undefined ? {} : { file: config }),
        env: terminal.env,
        flags: command.args,
      });
      terminal.stdout.write(printSettings(settings));
    });
}

/** The file may stand before the flags; commander hands on operands before what it doesn't know. */
function splitFile(args: readonly string[]): [file: string | undefined, flags: readonly string[]] {
  const [first] = args;
  return first === undefined || first.startsWith("-") ? [undefined, args] : [first, args.slice(1)];
}
