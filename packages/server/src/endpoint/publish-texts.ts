// Where the events of a body begin and end, found without decoding them, so that a large body is read event by event and
// not in one long turn of the event loop.

/** The bytes of one event in a body: `[start, end)`. Empty where the structure around the events is broken. */
export interface EventText {
  readonly start: number;
  readonly end: number;
  /** Line of an NDJSON body, from 1. */
  readonly line?: number;
}

const lineFeed = 0x0a;
const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** The lines of an NDJSON body that hold more than white space. */
export function* ndjsonTexts(body: Buffer): Generator<EventText> {
  let line = 0;
  for (let start = 0; start < body.length;) {
    const newline = body.indexOf(lineFeed, start);
    const end = newline === -1 ? body.length : newline;
    line += 1;
    if (skipSpace(body, start, end) < end) yield { start, end, line };
    start = end + 1;
  }
}

/** The one value of a JSON body; nothing where there is only white space. */
export function* jsonText(body: Buffer): Generator<EventText> {
  const start = skipSpace(body, 0, body.length);
  if (start < body.length) yield { start, end: body.length };
}

/** Whether a JSON body is an array. */
export function isJsonArray(body: Buffer): boolean {
  return body[skipSpace(body, 0, body.length)] === openBracket;
}

/**
 * The elements of a JSON array, which the body has to be. It is sound whatever the body holds: the texts, the brackets
 * and the commas make up the whole body, so when every text is JSON the body is a JSON array. A missing element, bracket
 * or comma, and anything after the array, shows as an empty text, which is not JSON. An element is followed no further
 * than `bytesMax` bytes; a longer one is handed out cut off behind that, and is the last.
 */
export function* jsonArrayTexts(body: Buffer, bytesMax: number): Generator<EventText> {
  let at = skipSpace(body, 0, body.length);
  if (body[at] !== openBracket) {
    yield brokenAt(at);
    return;
  }
  at = skipSpace(body, at + 1, body.length);
  if (body[at] !== closeBracket) {
    for (;;) {
      const start = at;
      at = endOfElement(body, start, bytesMax);
      yield { start, end: at };
      if (body[at] === closeBracket) break;
      if (body[at] !== comma) {
        yield brokenAt(at);
        return;
      }
      at += 1;
    }
  }
  if (skipSpace(body, at + 1, body.length) < body.length) yield brokenAt(at);
}

function brokenAt(at: number): EventText {
  return { start: at, end: at };
}

/** Where the element that begins at `start` meets the comma or bracket behind it, or the end, or passes `bytesMax`. */
function endOfElement(body: Buffer, start: number, bytesMax: number): number {
  const limit = Math.min(body.length, start + bytesMax + 1);
  let depth = 0;
  let at = start;
  for (; at < limit; at += 1) {
    switch (body[at]) {
      case quote:
        at = endOfString(body, at, limit);
        break;
      case openBracket:
      case openBrace:
        depth += 1;
        break;
      case closeBracket:
      case closeBrace:
        if (depth === 0) return at;
        depth -= 1;
        break;
      case comma:
        if (depth === 0) return at;
        break;
      default:
        break;
    }
  }
  return Math.min(at, limit);
}

/** Where the string that begins at `start` has its closing quote, or `limit`. */
function endOfString(body: Buffer, start: number, limit: number): number {
  let at = start + 1;
  while (at < limit && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at;
}

/** The first place from `start` that holds no JSON white space (RFC 8259 §2), or `end`. */
function skipSpace(body: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && isSpace(body[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
