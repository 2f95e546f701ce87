// `sluice tail`: its options.
import { policies, type Policy } from "@sluice/protocol";
import { Command, Option } from "commander";
import { addConnectionOptions, type ConnectionOptions } from "../arguments/connection-options.js";
import { clustersOption, durationOption, integerOption, patternsOption } from "../arguments/option-parsers.js";
import { tokenSource } from "../arguments/token-source.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import type { Terminal } from "../terminal/terminal.js";

interface TailOptions extends ConnectionOptions {
  readonly events?: readonly string[];
  readonly clusters?: readonly string[];
  readonly policy?: Policy;
  readonly maxMessages?: number;
  readonly since?: number;
  readonly epoch?: string;
  readonly limit?: number;
  readonly retryFor?: number;
  readonly json?: boolean;
  readonly wide?: boolean;
  readonly quiet?: boolean;
}

const examples = `
Examples:
  Everything, as it happens:
    $ sluice tail --token "$TOKEN"
  Alerts and GPU updates of two clusters:
    $ sluice tail --events 'ALERT_*,GPU_UPDATE' --clusters c-1,c-2
  The last retained events and on from there, as JSON for another program:
    $ sluice tail --since 0 --json | jq .payload
  Lose nothing, however slow the reader is (the service feeds it from its log):
    $ sluice tail --policy replay --json > events.ndjson

A lost connection is made anew by itself, going on behind the last event. What is missing is told on stderr.
Exit code: 0 after Ctrl-C or --limit, 69 when the service can't be reached, 77 when the token is refused.`;

/** Durations that make sense for going on trying, ms. */
const retryMaxMs = 30 * 86_400_000;

/** `sluice tail`. */
export function tailCommand(terminal: Terminal): Command {
  const command = new Command("tail")
    .description("Show events as they happen")
    .option(
      "--events <patterns>",
      "event types, comma-separated; a trailing * matches by prefix (default: *)",
      patternsOption,
    )
    .option("--clusters <names>", "only of these clusters, comma-separated (default: all)", clustersOption)
    .option(
      "--since <seq>",
      "first everything retained after this position; 0 for all of it",
      integerOption(0, Number.MAX_SAFE_INTEGER),
    )
    .option("--epoch <id>", "the log that --since was taken from; another one is told as a gap")
    .option("--limit <count>", "end after so many events", integerOption(1, Number.MAX_SAFE_INTEGER))
    .addOption(new Option("--policy <policy>", "what happens when this reader falls behind").choices(policies))
    .option(
      "--max-messages <count>",
      "smaller buffer than the service's, events",
      integerOption(1, Number.MAX_SAFE_INTEGER),
    )
    .option("--json", "one JSON object a line, exactly as received")
    .option("--wide", "don't cut payloads off at the edge of the terminal")
    .option("--quiet", "say nothing about the connection while all is well")
    .option(
      "--retry-for <duration>",
      "give up when the service can't be reached for so long; 0s for no second attempt (default: never)",
      durationOption(0, retryMaxMs, "at most 30d"),
    );
  addConnectionOptions(command);
  command.addHelpText("after", examples);
  return command.action(async (options: TailOptions) => {
    const { url, events = ["*"], clusters = [], since, epoch, retryFor, json, wide, quiet } = options;
    if (epoch !== undefined && since === undefined) {
      throw new CliError("--epoch needs --since; it says which log that position is of", { exitCode: exitCodes.usage });
    }
    const { follow } = await import("../tail/follow.js");
    await follow(
      {
        address: url,
        token: tokenSource(options, terminal.env),
        events,
        clusters,
        policy: options.policy,
        maxMessages: options.maxMessages,
        start: since === undefined ? undefined : { seq: since, ...(epoch === undefined ? {} : { epoch }) },
        retryForMs: retryFor,
        json: json === true,
        wide: wide === true,
        quiet: quiet === true,
        limit: options.limit,
      },
      terminal,
    );
  });
}
