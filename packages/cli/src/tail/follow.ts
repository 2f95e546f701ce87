// `sluice tail` at work: a stream's events to stdout, what happens to it to stderr.
import { showAddress } from "../arguments/server-address.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { LineWriter } from "../terminal/line-writer.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, tell, type Terminal } from "../terminal/terminal.js";
import { visibleText } from "../terminal/visible-text.js";
import { EventLine } from "./event-line.js";
import { noticeText } from "./notice-text.js";
import { Stream, type StreamOptions } from "./stream.js";
import type { StreamEnd } from "./stream-notice.js";

/** What to follow. */
export interface FollowOptions extends Omit<StreamOptions, "onEvent" | "onNotice"> {
  /** One JSON object a line, as received, in place of columns. */
  readonly json: boolean;
  /** Whether lines may be wider than the terminal. */
  readonly wide: boolean;
  /** No words about the connection; gaps and errors are told all the same. */
  readonly quiet: boolean;
  /** End after so many events. */
  readonly limit?: number | undefined;
}

/** Notices that `quiet` leaves out. */
const quietable = new Set(["subscribed", "live", "token-refreshed"]);

/**
 * Follows until Ctrl-C or the limit. @throws {CliError} when the service refuses, or is given up.
 */
export async function follow(options: FollowOptions, terminal: Terminal): Promise<void> {
  const { json, wide, quiet, limit, address } = options;
  const { stdout, stderr, env } = terminal;
  const columns = wide || stdout.isTTY !== true ? undefined : stdout.columns;
  const line = new EventLine({ paint: paintFor(takesColour(stdout, env)), columns });
  const noticePaint = paintFor(takesColour(stderr, env));
  let received = 0;

  const writer = new LineWriter(stdout);
  const stream = new Stream({
    ...options,
    onEvent: (event) => {
      received += 1;
      if (received === limit) stream.stop();
      // The service writes JSON as `JSON.stringify` does, so this is the text that came.
      return writer.write(json ? JSON.stringify(event) : line.format(event));
    },
    onNotice: (notice) => {
      if (quiet && quietable.has(notice.kind)) return;
      tell(terminal, noticeText(notice, showAddress(address), noticePaint));
    },
  });
  const stop = (): void => stream.stop();
  terminal.interrupted.addEventListener("abort", stop, { once: true });
  if (terminal.interrupted.aborted) stop();
  try {
    const end = await stream.run();
    await writer.end();
    judge(end, options);
  } finally {
    terminal.interrupted.removeEventListener("abort", stop);
  }
  if (terminal.interrupted.aborted && !quiet) tell(terminal, noticePaint.dim(`ended; ${count(received)} received`));
}

function judge(end: StreamEnd, { address, token, retryForMs }: FollowOptions): void {
  const at = showAddress(address);
  switch (end.kind) {
    case "stopped":
      return;
    case "no-permission":
      throw new CliError(`${at}: ${visibleText(end.why)}`, {
        exitCode: exitCodes.noPermission,
        hint: `The token came from ${token.name}; \`sluice token --help\` shows how to make one.`,
      });
    case "refused":
      throw new CliError(`${at}: ${visibleText(end.why)}`, { exitCode: exitCodes.failure });
    case "gave-up":
      throw new CliError(`${at}: ${visibleText(end.why)}${retryForMs === 0 ? "" : "; no further attempts"}`, {
        exitCode: exitCodes.unavailable,
      });
  }
}

function count(events: number): string {
  return `${events.toLocaleString("en-US")} ${events === 1 ? "event" : "events"}`;
}
