// `sluice log`: work on a log while no service uses it.
import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import type { Terminal } from "../terminal/terminal.js";

interface CopyCommandOptions {
  readonly from: string;
  readonly to: string;
  readonly config?: string;
  readonly verify: boolean;
}

const examples = `
Examples:
  From one machine's disk to the NATS cluster of the configuration:
    $ sluice log copy --from embedded:/var/lib/sluice/log --to jetstream: --config sluice.yaml
  To servers named here:
    $ sluice log copy --from embedded:./data/log --to jetstream:nats://nats-1:4222,nats://nats-2:4222`;

const copyNotes = `
Every setting is a flag; nats.* says where to, log.retention.* what the stream keeps. Events keep their seqs, and the
stream the log's epoch, so that clients go on where they stood. No service may use the log meanwhile, nor ever again
after it: two logs with one epoch would part. Nothing is changed at the source. Interrupted, it goes on where it was
when it is given again.
Exit code: 0 when all is copied and compared, 75 when the log is in use or NATS away, 130 when interrupted.`;

/** `sluice log`. */
export function logCommand(terminal: Terminal): Command {
  const copy = new Command("copy")
    .description("Copy a log from this machine's disk into NATS JetStream")
    .usage("--from embedded:<directory> --to jetstream:[<servers>] [--config <file>] [--any.setting=value]…")
    .requiredOption("--from <log>", "embedded: and the directory (log.dir)")
    .requiredOption("--to <log>", "jetstream: and servers, separated by commas (default: nats.servers)")
    .option("--config <file>", "YAML file (default: SLUICE_CONFIG, or none)")
    .option("--no-verify", "do not read all of it back and compare")
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText("after", examples + copyNotes)
    .action(async ({ from, to, config, verify }: CopyCommandOptions, command: Command) => {
      const dir = placeOf(from, "embedded", "--from");
      const servers = placeOf(to, "jetstream", "--to");
      if (dir === "")
        throw new CliError("--from needs a directory: embedded:./data/log", { exitCode: exitCodes.usage });
      const flags = servers === "" ? command.args : [...command.args, `--nats.servers=${servers}`];
      const { copy: run } = await import("../log-copy/copy.js");
      await run({ dir, config, flags, verify }, terminal);
    });
  return new Command("log").description("Copy a log to another place").addCommand(copy).addHelpText("after", examples);
}

/** What stands after `<engine>:`. @throws {CliError} where it is another engine's */
function placeOf(text: string, engine: string, option: string): string {
  const mark = `${engine}:`;
  if (text.startsWith(mark)) return text.slice(mark.length);
  throw new CliError(`${option} takes ${mark}…, not ${text}`, { exitCode: exitCodes.usage });
}
