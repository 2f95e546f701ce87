// `sluice publish` at work: one event by options, or NDJSON from a file or stdin.
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { formatDuration } from "../arguments/duration.js";
import { describeFileError } from "../arguments/file-error.js";
import { httpUrl, showAddress } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, tell, type Terminal } from "../terminal/terminal.js";
import { type EventOptions, eventFromOptions } from "./event-from-options.js";
import { type PostOutcome, postEvents } from "./post-events.js";
import { publishLines } from "./publish-lines.js";
import { ProgressLine } from "./publish-progress.js";
import { endError, summaryText } from "./publish-summary.js";
import { sendBatch } from "./send-batch.js";

/** Where to publish, and how hard to try. */
export interface PublishOptions {
  readonly address: URL;
  readonly token: TokenSource;
  readonly retryForMs: number;
}

/** Bytes that are read from a file at a time. */
const fileChunkBytes = 262_144;
/** What stands for stdin. */
const stdinName = "-";

/** Publishes one event. @throws {CliError} when it was not accepted. */
export async function publishOne(event: EventOptions, options: PublishOptions, terminal: Terminal): Promise<void> {
  const { json, eventId } = await eventFromOptions(event, terminal.stdin);
  let seq = 0;
  let wasThere = false;
  const end = await sendBatch(
    { texts: [json], lines: [1] },
    {
      ...(await sending(options, terminal)),
      onAccepted: ({ firstSeq, duplicates }) => {
        seq = firstSeq;
        wasThere = duplicates > 0;
      },
    },
  );
  if (end.kind === "accepted") {
    terminal.stdout.write(`published ${eventId}, seq ${seq}${wasThere ? " (it had been there already)" : ""}\n`);
    return;
  }
  const counts = { events: 0, duplicates: 0, firstSeq: 0, lastSeq: 0, lastLine: 0, elapsedMs: 0 };
  if (end.kind === "refused" && end.status !== 401 && end.status !== 403) {
    throw new CliError(`${showAddress(options.address)}: ${end.why}`, { exitCode: exitCodes.data });
  }
  const place = { input: "the event", address: showAddress(options.address), tokenName: options.token.name };
  throw endError(end.kind === "refused" ? { ...end, line: undefined } : end, counts, place);
}

/** What to publish from. */
export interface PublishInputOptions extends PublishOptions {
  /** A path, or `-` for stdin. */
  readonly file: string;
  readonly fromLine: number;
  /** Whether progress is shown; on a terminal it always is. */
  readonly progress: boolean;
}

/** Publishes every line of a file or of stdin. @throws {CliError} when not all of them were accepted. */
export async function publishInput(options: PublishInputOptions, terminal: Terminal): Promise<void> {
  const { file, fromLine, address, token } = options;
  const { stderr, stdout } = terminal;
  const { input, bytesTotal } = openInput(file, terminal);
  const isShown = options.progress || stderr.isTTY === true;
  const progress = isShown ? new ProgressLine(stderr) : undefined;
  const { end, so } = await publishLines({
    ...(await sending(options, terminal, () => progress?.clear())),
    input,
    fromLine,
    bytesTotal,
    onProgress: (counts) => progress?.update(counts),
  });
  progress?.clear();
  if (end.kind === "done") {
    stdout.write(`${summaryText(so)}\n`);
    return;
  }
  const name = file === stdinName ? "stdin" : file;
  throw endError(end, so, { input: name, address: showAddress(address), tokenName: token.name });
}

async function sending(options: PublishOptions, terminal: Terminal, beforeNotice = (): void => undefined) {
  const { address, token, retryForMs } = options;
  const url = httpUrl(address, "api/v1/events");
  const paint = paintFor(takesColour(terminal.stderr, terminal.env));
  let bearer = await token.read();

  /** A token file may have been renewed since. */
  async function post(body: string): Promise<PostOutcome> {
    const outcome = await postEvents({ url, token: bearer }, body);
    if (outcome.kind !== "refused" || outcome.status !== 401 || !token.renews) return outcome;
    const renewed = await token.read();
    if (renewed === bearer) return outcome;
    bearer = renewed;
    return postEvents({ url, token: bearer }, body);
  }

  return {
    post,
    retryForMs,
    interrupted: terminal.interrupted,
    onRetry: (why: string, retryInMs: number): void => {
      beforeNotice();
      const again = `next attempt in ${formatDuration(retryInMs)}`;
      tell(terminal, paint.warn(`${showAddress(address)}: ${why}; ${again}`));
    },
  };
}

function openInput(file: string, { stdin }: Terminal): { input: Readable; bytesTotal: number | undefined } {
  if (file === stdinName) return { input: stdin, bytesTotal: undefined };
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
    const bytesTotal = stat.isFile() ? stat.size : undefined;
    return { input: createReadStream(file, { highWaterMark: fileChunkBytes }), bytesTotal };
  } catch (error) {
    throw new CliError(`${file} ${describeFileError(error)}`, { exitCode: exitCodes.noInput, cause: error });
  }
}
