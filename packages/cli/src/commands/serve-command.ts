// `sluice serve`: runs the streaming service.
import { Command } from "commander";
import type { Terminal } from "../terminal/terminal.js";

const examples = `
Examples:
  From a file:
    $ sluice serve --config sluice.yaml
  With flags; every setting is one, and an environment variable too:
    $ sluice serve --server.port=8080 --log.dir=/var/lib/sluice --auth.hs256_secret_file=secret
    $ SLUICE_SERVER__PORT=8080 sluice serve --config sluice.yaml
  For a test-suite of WebSocket, such as Autobahn's:
    $ sluice serve --echo --server.port=9001 --server.compression
  On all of four cores:
    $ sluice serve --config sluice.yaml --workers 4
  To try things out on this machine, with nobody asked for a token:
    $ sluice serve --auth.dev --demo.enabled --telemetry.log_pretty

Flags come before the environment, that before the file, that before the defaults. \`sluice config print\` shows every
setting. The log goes to stdout, JSON lines. SIGTERM and Ctrl-C drain: clients are told when to come back, what was
accepted is written out. A second one ends at once.
Exit code: 0 after a drain, 78 for a wrong configuration, with every problem on stderr.`;

interface ServeFlags {
  readonly config?: string;
  readonly echo?: true;
  readonly workers?: string;
}

/** `sluice serve`. */
export function serveCommand(terminal: Terminal): Command {
  return new Command("serve")
    .description("Run the streaming service")
    .usage("[--config <file>] [--any.setting=value]…")
    .option("--config <file>", "YAML file (default: SLUICE_CONFIG, or none)")
    .option("--echo", "test mode: send every message back, to anybody; on a loopback address only, without a log")
    .option("--workers <n>", "processes that share the port: short for --server.workers=<n>")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", examples)
    .action(async ({ config, echo, workers }: ServeFlags, command: Command) => {
      if (echo === true) {
        const { serveEcho } = await import("../serve/serve-echo.js");
        await serveEcho({ config, flags: command.args }, terminal);
        return;
      }
      const { serve } = await import("../serve/serve.js");
      const flags = workers === undefined ? command.args : [`--server.workers=${workers}`, ...command.args];
      await serve({ config, flags }, terminal);
    });
}
