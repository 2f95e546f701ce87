// `sluice publish`: its options.
import { Command, Option } from "commander";
import { addConnectionOptions, type ConnectionOptions } from "../arguments/connection-options.js";
import { durationOption, integerOption, nameOption } from "../arguments/option-parsers.js";
import { tokenSource } from "../arguments/token-source.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { type EventOptions, singleEventOptions } from "../publish/event-from-options.js";
import type { Terminal } from "../terminal/terminal.js";

interface PublishCommandOptions extends ConnectionOptions, EventOptions {
  readonly file?: string;
  readonly fromLine: number;
  readonly progress?: boolean;
  readonly retryFor: number;
}

const examples = `
Examples:
  One event:
    $ sluice publish --event GPU_UPDATE --cluster c-1 --payload '{"utilisation":0.93}'
    $ sluice publish --event ALERT_FIRED --payload @alert.json
  Many, one JSON object a line (NDJSON):
    $ sluice publish --file events.ndjson
    $ my-exporter | sluice publish -

A line: {"event_type":"GPU_UPDATE","cluster_id":"c-1","payload":{"utilisation":0.93}}
with event_id, timestamp, source and subject where wanted. Order is kept. An event without an event_id gets one, so that
trying again after a lost connection stores nothing twice.
Exit code: 0 when all was accepted, 65 for a bad line, 69 when the service can't be reached, 77 when the token is refused.`;

const retryMaxMs = 86_400_000;
/** Below the 2 min for which a service remembers event ids (`log.dedup.window_ms`). */
const retryDefaultMs = 30_000;

/** `sluice publish`. */
export function publishCommand(terminal: Terminal): Command {
  const command = new Command("publish")
    .description("Publish one event, or many from a file or stdin")
    .argument("[file]", "NDJSON to publish; - for stdin, which is also taken when it is a pipe")
    .option("--event <type>", "type of the one event", nameOption)
    .option("--cluster <name>", "cluster of the one event", nameOption)
    .option("--payload <json>", "its payload: JSON, @file, or @- for stdin")
    .option("--id <id>", "its event_id (default: a new UUID)")
    .option("--source <text>", "its source")
    .option("--subject <text>", "its subject")
    .option("--timestamp <time>", "its time, RFC 3339 (default: when the service receives it)")
    .option("--file <file>", "NDJSON to publish, as the argument")
    .option("--from-line <number>", "pass over the lines before this one", integerOption(1, Number.MAX_SAFE_INTEGER), 1)
    .option("--progress", "show progress also where stderr is no terminal")
    .addOption(
      new Option("--retry-for <duration>", "go on trying for so long while the service can't be reached")
        .argParser(durationOption(0, retryMaxMs, "at most 1d"))
        .default(retryDefaultMs, "30s"),
    );
  addConnectionOptions(command);
  command.addHelpText("after", examples);
  return command.action(async (argument: string | undefined, options: PublishCommandOptions) => {
    const file = inputOf(argument, options, terminal);
    const target = { address: options.url, token: tokenSource(options, terminal.env), retryForMs: options.retryFor };
    const { publishInput, publishOne } = await import("../publish/publish-input.js");
    if (file === undefined) return publishOne(options, target, terminal);
    const { fromLine, progress } = options;
    return publishInput({ ...target, file, fromLine, progress: progress === true }, terminal);
  });
}

/** The input to read events from; undefined for the one event of the options. */
function inputOf(argument: string | undefined, options: PublishCommandOptions, terminal: Terminal): string | undefined {
  const usage = (message: string, hint?: string): CliError =>
    new CliError(message, { exitCode: exitCodes.usage, hint });
  if (argument !== undefined && options.file !== undefined) {
    throw usage("a file is given as argument and as --file; give one");
  }
  const file = argument ?? options.file;
  if (options.event !== undefined) {
    if (file !== undefined) throw usage("--event is for one event, a file for many; give one of them");
    return undefined;
  }
  const stray = singleEventOptions.find((name) => options[name] !== undefined);
  if (stray !== undefined) throw usage(`--${stray} is for one event, which needs --event as well`);
  if (file !== undefined) return file;
  if (terminal.stdin.isTTY !== true) return "-";
  throw usage(
    "nothing to publish",
    "Give --event and --payload, or a file of events, or pipe events in; see sluice publish --help.",
  );
}
