// `sluice publish` at work: one event by options, or NDJSON from a file or stdin.
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { formatDuration } from "../arguments/duration.js";
import type { SluiceError } from "@sluice/client";
import { describeFileError } from "../arguments/file-error.js";
import { showAddress } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { CliError } from "../cli-error.js";
import { openClient } from "../connection/open-client.js";
import { exitCodes } from "../exit-codes.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, type Terminal } from "../terminal/terminal.js";
import { visibleText } from "../terminal/visible-text.js";
import { type EventOptions, eventFromOptions } from "./event-from-options.js";
import { describeFailure, mayBeStored, post, type PostOutcome, readFailure } from "./post-outcome.js";
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
  using publishing = await openPublishing(options, terminal);
  const end = await sendBatch(
    { texts: [json], lines: [1] },
    {
      post: publishing.post,
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
  using publishing = await openPublishing(options, terminal, () => progress?.clear());
  const { end, so } = await publishLines({
    post: publishing.post,
    interrupted: publishing.interrupted,
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

/** The client's publisher, as one command uses it. */
interface Publishing extends Disposable {
  readonly post: (texts: readonly string[]) => Promise<PostOutcome>;
  readonly interrupted: AbortSignal;
}

async function openPublishing(
  { address, token, retryForMs }: PublishOptions,
  { stderr, env, interrupted }: Terminal,
  beforeNotice = (): void => undefined,
): Promise<Publishing> {
  const paint = paintFor(takesColour(stderr, env));
  /** What was told of the last failed try; whether any try of these events may have been stored. */
  let last: SluiceError | undefined;
  let isInDoubt = false;
  /** Whether nothing is under way that should be let come to its end. */
  let isWaiting = false;
  let refusal: PostOutcome | undefined;
  let unreadable: { readonly error: unknown } | undefined;
  const sluice = await openClient({
    address,
    token,
    publishForMs: retryForMs,
    onRetry(error, retryInMs) {
      last = error;
      isInDoubt ||= mayBeStored(error);
      isWaiting = true;
      if (interrupted.aborted) sluice.close();
      // The token is read anew at once; there is nothing to wait for.
      if (error.status === 401) return;
      beforeNotice();
      const again = `next attempt in ${formatDuration(retryInMs)}`;
      stderr.write(`${paint.warn(`${showAddress(address)}: ${visibleText(describeFailure(error))}; ${again}`)}\n`);
    },
    onRefused: () => (refusal = last === undefined ? undefined : readFailure(last)),
    onUnreadable: (error) => {
      unreadable = { error };
      sluice.close();
    },
  });
  const stop = (): void => {
    if (isWaiting) sluice.close();
  };
  interrupted.addEventListener("abort", stop);
  return {
    interrupted,
    async post(texts) {
      isInDoubt = false;
      isWaiting = false;
      const outcome = await post(sluice, texts);
      if (unreadable !== undefined) throw unreadable.error;
      if (outcome.kind === "interrupted") return refusal ?? outcome;
      return outcome.kind === "unavailable" ? { ...outcome, mayBeStored: isInDoubt || outcome.mayBeStored } : outcome;
    },
    [Symbol.dispose]() {
      interrupted.removeEventListener("abort", stop);
      sluice.close();
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
