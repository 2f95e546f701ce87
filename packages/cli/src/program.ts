// The program: its commands, and what is the same for all of them.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { configCommand } from "./commands/config-command.js";
import { gatewayCommand } from "./commands/gateway-command.js";
import { logCommand } from "./commands/log-command.js";
import { publishCommand } from "./commands/publish-command.js";
import { serveCommand } from "./commands/serve-command.js";
import { startCommand } from "./commands/start-command.js";
import { tailCommand } from "./commands/tail-command.js";
import { tokenCommand } from "./commands/token-command.js";
import type { Terminal } from "./terminal/terminal.js";

const examples = `
Examples:
  Try it out:
    $ sluice start
  Run it:
    $ sluice serve --config sluice.yaml
    $ sluice gateway --config gateway.yaml
  Follow and publish:
    $ export SLUICE_URL=http://127.0.0.1:8081 SLUICE_TOKEN=$(sluice token --sub me --publish --secret-file secret)
    $ sluice tail --events 'ALERT_*'
    $ sluice publish --event ALERT_FIRED --cluster c-1 --payload '{"severity":"high"}'

SLUICE_URL and SLUICE_TOKEN stand for --url and --token.`;

const commands = [
  startCommand,
  serveCommand,
  gatewayCommand,
  tokenCommand,
  publishCommand,
  tailCommand,
  configCommand,
  logCommand,
];

/** Columns that help is wrapped to, however wide the terminal. */
const helpColumnsMax = 110;

/** The `sluice` program. Parsing throws `CommanderError` in place of ending the process. */
export function createProgram(terminal: Terminal): Command {
  const { stdout, stderr } = terminal;
  const program = new Command("sluice")
    .description("Sluice streams live events to every subscriber at the speed it can take.")
    .version(version(), "-V, --version", "print the version")
    .helpCommand("help [command]", "help for a command")
    .addHelpText("after", examples);
  for (const make of commands) {
    program.addCommand(make(terminal));
  }
  forAll(program, (command) => {
    command
      .exitOverride()
      .configureHelp({ sortOptions: false, showGlobalOptions: false })
      .configureOutput({
        writeOut: (text) => stdout.write(text),
        writeErr: (text) => stderr.write(text),
        getOutHelpWidth: () => Math.min(stdout.columns ?? helpColumnsMax, helpColumnsMax),
        getErrHelpWidth: () => Math.min(stderr.columns ?? helpColumnsMax, helpColumnsMax),
        outputError: () => undefined,
      })
      .helpOption("-h, --help", "print this help");
  });
  return program;
}

function forAll(command: Command, act: (command: Command) => void): void {
  act(command);
  for (const child of command.commands) forAll(child, act);
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return manifest.version;
}
