// `sluice tail` at work: a stream's events to stdout, what happens to it to stderr.
import type { Policy } from "@sluice/protocol";
import { showAddress } from "../arguments/server-address.js";
import type { TokenSource } from "../arguments/token-source.js";
import { CliError } from "../cli-error.js";
import { exitCodes } from "../exit-codes.js";
import { StreamClient } from "../stream/stream-client.js";
import type { StreamEnd } from "../stream/stream-notice.js";
import type { ResumePoint } from "../stream/stream-position.js";
import { LineWriter } from "../terminal/line-writer.js";
import { paintFor } from "../terminal/paint.js";
import { takesColour, tell, type Terminal } from "../terminal/terminal.js";
import { EventLine } from "./event-line.js";
import { noticeText } from "./notice-text.js";

/** What to follow. */
export interface FollowOptions {
  readonly address: URL;
  readonly token: TokenSource;
  readonly events: readonly string[];
  readonly clusters: readonly string[];
  readonly policy?: Policy | undefined;
  readonly maxMessages?: number | undefined;
  readonly start?: ResumePoint | undefined;
  readonly retryForMs?: number | undefined;
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

  const client: StreamClient = new StreamClient({
    ...options,
    onEvent: (event, text) => {
      received += 1;
      writer.write(json ? oneLine(text) : line.format(event));
      if (received === limit) client.stop();
    },
    onNotice: (notice) => {
      if (quiet && quietable.has(notice.kind)) return;
      tell(terminal, noticeText(notice, showAddress(address), noticePaint));
    },
  });
  const writer = new LineWriter(
    stdout,
    () => client.pause(),
    () => client.resume(),
  );
  const stop = (): void => client.stop();
  terminal.interrupted.addEventListener("abort", stop, { once: true });
  if (terminal.interrupted.aborted) stop();
  try {
    const end = await client.run();
    await writer.end();
    judge(end, options);
  } finally {
    terminal.interrupted.removeEventListener("abort", stop);
  }
  if (terminal.interrupted.aborted && !quiet) tell(terminal, noticePaint.dim(`ended; ${count(received)} received`));
}

/** A frame's text holds no line end of its own unless something in between has reformatted it. */
function oneLine(text: string): string {
  return text.includes("\n") ? JSON.stringify(JSON.parse(text)) : text;
}

function judge(end: StreamEnd, { address, token, retryForMs }: FollowOptions): void {
  const at = showAddress(address);
  switch (end.kind) {
    case "stopped":
      return;
    case "no-permission":
      throw new CliError(`${at}: ${end.why}`, {
        exitCode: exitCodes.noPermission,
        hint: `The token came from ${token.name}; \`sluice token --help\` shows how to make one.`,
      });
    case "refused":
      throw new CliError(`${at}: ${end.why}`, { exitCode: exitCodes.failure });
    case "gave-up":
      throw new CliError(`${at}: ${end.why}${retryForMs === 0 ? "" : "; no further attempts"}`, {
        exitCode: exitCodes.unavailable,
      });
  }
}

function count(events: number): string {
  return `${events.toLocaleString("en-US")} ${events === 1 ? "event" : "events"}`;
}
