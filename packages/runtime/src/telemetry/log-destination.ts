// Where log lines go: written without waiting, so that a terminal or pipe that doesn't read holds up no event, and
// bounded, so that it costs no memory either.
import { destination } from "pino";
import { prettyLine } from "./pretty-line.js";

/** Most bytes of lines that wait to be written; past it lines are dropped, and their number is logged afterwards. */
const waitingBytesMax = 8_388_608;

/** What a logger writes to; a `Writable` is one too. */
export interface LogDestination {
  write(line: string): unknown;
  /** Writes what waits before it returns (a line just being written may come after); a logger calls it after a fatal line. */
  flushSync?(): void;
}

/** A destination that tells when it has written. */
export interface OwnedLogDestination extends Required<LogDestination> {
  /** Writes `text` behind all lines, and resolves when it is out, or when nobody reads any more. */
  writeLast(text: string): Promise<void>;
}

export interface LogDestinationOptions {
  /** File descriptor; default 1, standard output. */
  readonly fd?: number;
  readonly waitingBytesMax?: number;
}

/** A destination on a file descriptor, which stays its caller's. What waits is written when the process exits. */
export function createLogDestination(options: LogDestinationOptions = {}): OwnedLogDestination {
  const { fd = 1, waitingBytesMax: maxLength = waitingBytesMax } = options;
  const stream = destination({ dest: fd, sync: false, maxLength });
  let dropped = 0;
  stream.on("drop", () => {
    dropped += 1;
  });
  stream.on("drain", () => {
    if (dropped === 0) return;
    const fields = { level: "warn", time: new Date().toISOString(), dropped, msg: "log lines were dropped" };
    dropped = 0;
    stream.write(`${JSON.stringify(fields)}\n`);
  });
  // Standard output that is closed (EPIPE) ends the lines and not the process.
  stream.on("error", () => undefined);
  const writeLast = (text: string): Promise<void> =>
    new Promise((resolve) => {
      stream.once("drain", () => resolve());
      stream.once("error", () => resolve());
      stream.write(text);
    });
  return { write: (line) => stream.write(line), flushSync: () => stream.flushSync(), writeLast };
}

/** Makes lines readable on their way. */
export function prettyDestination(inner: LogDestination, isColoured: boolean): LogDestination {
  return {
    write: (line) => inner.write(prettyLine(line, isColoured)),
    flushSync: () => inner.flushSync?.(),
  };
}
