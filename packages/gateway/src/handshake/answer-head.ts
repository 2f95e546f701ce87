// The head of a backend's answer to a handshake (RFC 9112 §4, §5), read strictly: a WebSocket begins right behind it, so
// that two opinions about where it ends, or about what it says, would be a hole. Pure.

/** Largest head that is read, bytes; as Node's own limit for a head. */
export const headBytesMax = 16_384;

const version = "HTTP/1.1 ";
const headEnd = "\r\n\r\n";
const statusLine = /^HTTP\/1\.1 ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** A token (RFC 9110 §5.6.2), a colon right behind it, and a value without controls (§5.5). No folded lines (RFC 9112 §5.2). */
const fieldLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;

/** A head that was read. */
export interface AnswerHead {
  readonly status: number;
  /** Values by name in lower case; those of one name joined with `, `, as for a list (RFC 9110 §5.2). */
  readonly headers: ReadonlyMap<string, string>;
  /** Its length with the empty line, bytes. */
  readonly bytes: number;
}

/** The head at the beginning of `bytes`: `partial` when its end has not come, `broken` when it is none, or too large. */
export function readAnswerHead(bytes: Buffer): AnswerHead | "partial" | "broken" {
  const end = bytes.indexOf(headEnd);
  if (end === -1) return bytes.length >= headBytesMax || !beginsAsHttp(bytes) ? "broken" : "partial";
  if (end + headEnd.length > headBytesMax) return "broken";
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = statusLine.exec(first);
  if (status === null) return "broken";
  const headers = new Map<string, string>();
  for (const line of lines) {
    const field = fieldLine.exec(line);
    if (field === null) return "broken";
    const [, name = "", value = ""] = field;
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  return { status: Number(status[1]), headers, bytes: end + headEnd.length };
}

/** Whether it may still become HTTP: what speaks another protocol need not be waited for. */
function beginsAsHttp(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, version.length);
  return bytes.toString("latin1", 0, length) === version.slice(0, length);
}
