// For tests: a terminal that keeps what was written to it.
import { PassThrough, Readable, Writable } from "node:stream";
import type { OutputStream, Terminal } from "../terminal/terminal.js";

/** How the terminal looks to a command. */
export interface RecordedTerminalOptions {
  readonly env?: Terminal["env"];
  /** Text on stdin; a stdin that never says anything when absent. */
  readonly stdin?: string | Readable;
  readonly stdinIsTTY?: boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** A terminal in memory. */
export interface RecordedTerminal {
  readonly terminal: Terminal;
  readonly out: () => string;
  readonly err: () => string;
  readonly interrupt: () => void;
}

/** Makes one; without colours unless its streams are terminals. */
export function recordedTerminal(options: RecordedTerminalOptions = {}): RecordedTerminal {
  const { env = {}, stdin, stdinIsTTY = false, isTTY = false, columns = 80 } = options;
  const out: string[] = [];
  const err: string[] = [];
  const interruption = new AbortController();
  const input =
    stdin instanceof Readable ? stdin : stdin === undefined ? new PassThrough() : Readable.from([Buffer.from(stdin)]);
  return {
    terminal: {
      stdin: Object.assign(input, { isTTY: stdinIsTTY }),
      stdout: recorder(out, isTTY, columns),
      stderr: recorder(err, isTTY, columns),
      env,
      interrupted: interruption.signal,
    },
    out: () => out.join(""),
    err: () => err.join(""),
    interrupt: () => interruption.abort(),
  };
}

function recorder(texts: string[], isTTY: boolean, columns: number): OutputStream {
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _encoding, done) => {
      texts.push(String(chunk));
      done();
    },
  });
  return Object.assign(stream, { isTTY, columns });
}
