// What a command reads from and writes to. Commands never touch `process`, so that their tests need none.
import type { Readable, Writable } from "node:stream";

/** A stream that people may be looking at. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** A stream that people may be typing into. */
export type InputStream = Readable & { readonly isTTY?: boolean };

/** The surroundings of one command. */
export interface Terminal {
  readonly stdin: InputStream;
  /** Results only, so that they can be piped. */
  readonly stdout: OutputStream;
  /** Everything else that people should read. */
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * Asked to end: SIGINT or SIGTERM. The command finishes what must not be cut off; a second signal ends the process
   * at once and is none of its business.
   */
  readonly interrupted: AbortSignal;
  /**
   * From now on SIGHUP calls `listener` in place of ending the command: for what reads its settings again. Absent where
   * there are no signals.
   */
  readonly onHangup?: (listener: () => void) => void;
}

/**
 * Whether `stream` takes colours: a terminal that is not `TERM=dumb`, without `NO_COLOR` (no-color.org), or any stream
 * where `FORCE_COLOR` asks for them.
 */
export function takesColour(stream: OutputStream, env: Terminal["env"]): boolean {
  if (isSet(env["NO_COLOR"])) return false;
  if (isSet(env["FORCE_COLOR"])) return env["FORCE_COLOR"] !== "0";
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Writes one line for people to stderr. */
export function tell(terminal: Terminal, line: string): void {
  terminal.stderr.write(`${line}\n`);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}
