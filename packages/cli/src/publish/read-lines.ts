// A stream of bytes as lines, with their numbers; never more of it in memory than one line and one chunk.
import { isUtf8 } from "node:buffer";

/** One line without its end. */
export interface InputLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/** Longest line, bytes: what a service takes as one body when nothing is configured (`limits.publish_body_bytes`). */
export const lineBytesMax = 16_777_216;

/** A line that can't be read; `line` says which. */
export class LineError extends Error {
  override readonly name = "LineError";
  readonly line: number;

  constructor(line: number, problem: string) {
    super(problem);
    this.line = line;
  }
}

const lineFeed = 0x0a;
const byteOrderMark = "\ufeff";

/**
 * The lines of `input`, those of one chunk at a time; blank lines are left out but counted, `\r\n` ends a line too.
 * @param onBytes told of the bytes taken in, for progress.
 * @throws {LineError} on a line over `lineBytesMax` or one that is not UTF-8, after the lines before it.
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => undefined,
): AsyncGenerator<readonly InputLine[], void, void> {
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;

  for await (const data of input) {
    const chunk = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    onBytes(chunk.length);
    const lines: InputLine[] = [];
    let failure: LineError | undefined;
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      number += 1;
      const piece = chunk.subarray(start, end);
      const bytes = restBytes === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      start = end + 1;
      failure = addLine(lines, number, bytes);
      if (failure !== undefined) break;
    }
    if (lines.length > 0) yield lines;
    if (failure !== undefined) throw failure;
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
    }
    if (restBytes > lineBytesMax) throw tooLong(number + 1);
  }

  if (restBytes === 0) return;
  const lines: InputLine[] = [];
  const failure = addLine(lines, number + 1, Buffer.concat(rest));
  if (lines.length > 0) yield lines;
  if (failure !== undefined) throw failure;
}

function addLine(lines: InputLine[], number: number, bytes: Buffer): LineError | undefined {
  if (bytes.length > lineBytesMax) return tooLong(number);
  if (!isUtf8(bytes)) return new LineError(number, "is not UTF-8");
  let text = bytes.toString("utf8").trim();
  if (number === 1 && text.startsWith(byteOrderMark)) text = text.slice(byteOrderMark.length).trim();
  if (text !== "") lines.push({ number, text });
  return undefined;
}

function tooLong(line: number): LineError {
  return new LineError(line, `is longer than ${lineBytesMax.toLocaleString("en-US")} bytes`);
}
