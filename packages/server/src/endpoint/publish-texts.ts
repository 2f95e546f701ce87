// Where the events of a body begin and end, found without decoding them, so that a large body is read event by event
// and not in one long turn of the event loop.
import { jsonBytes } from "./json-bytes.js";

/** The bytes of one event in a body: `[start, end)`. Empty where the structure around the events is broken. */
export interface EventText {
  readonly start: number;
  readonly end: number;
  /** Line of an NDJSON body, from 1. */
  readonly line?: number;
}

/** The events of a body, in order; undefined stands for a stretch without one: a moment to let others go first. */
export type EventTexts = Generator<EventText | undefined>;

/** What a JSON body has to be: one value, an array of them, or either. */
export type JsonShape = "value" | "array" | "either";

/** White space passed over between two such moments, bytes: about 0.3 ms. */
export const stretchBytes = 65_536;

const {
  backslash,
  carriageReturn,
  closeBrace,
  closeBracket,
  comma,
  lineFeed,
  openBrace,
  openBracket,
  quote,
  space,
  tab,
} = jsonBytes;

/** The lines of an NDJSON body that hold more than white space. */
export function* ndjsonTexts(body: Buffer): EventTexts {
  let line = 1;
  for (let at = 0; at < body.length;) {
    if (isSpace(body[at])) {
      if (body[at] === lineFeed) line += 1;
      at += 1;
      if (at % stretchBytes === 0) yield undefined;
    } else {
      const newline = body.indexOf(lineFeed, at);
      const end = newline === -1 ? body.length : newline;
      yield { start: at, end, line };
      at = end;
    }
  }
}

/**
 * The value of a JSON body, or the elements of its array; nothing where there is only white space. For an array it is
 * sound whatever the body holds: the texts, the brackets and the commas make up the whole body, so when every text is
 * JSON the body is a JSON array. A missing element, bracket or comma, and anything after the array, shows as an empty
 * text, which is not JSON. An element is followed no further than `bytesMax` bytes; a longer one is handed out cut off
 * behind that, and is the last. `endOf` may know better where an element ends that begins at a place and is JSON; -1 =
 * it doesn't.
 */
export function* jsonTexts(
  body: Buffer,
  shape: JsonShape,
  bytesMax: number,
  endOf: (start: number) => number = () => -1,
): EventTexts {
  const start = yield* skipSpace(body, 0);
  if (start === body.length) return;
  if (shape === "value" || (shape === "either" && body[start] !== openBracket)) yield { start, end: body.length };
  else if (body[start] === openBracket) yield* elementTexts(body, start + 1, bytesMax, endOf);
  else yield brokenAt(start);
}

/** The elements of the array whose bracket stands before `start`, and an empty text where it is broken. */
function* elementTexts(body: Buffer, start: number, bytesMax: number, endOf: (start: number) => number): EventTexts {
  let at = yield* skipSpace(body, start);
  if (body[at] !== closeBracket) {
    for (;;) {
      const elementStart = at;
      at = endOf(elementStart);
      if (at === -1 || !isEndOfElement(body[at])) at = endOfElement(body, elementStart, bytesMax);
      yield { start: elementStart, end: at };
      if (body[at] === closeBracket) break;
      if (body[at] !== comma) {
        yield brokenAt(at);
        return;
      }
      at += 1;
    }
  }
  if ((yield* skipSpace(body, at + 1)) < body.length) yield brokenAt(at);
}

function isEndOfElement(byte: number | undefined): boolean {
  return byte === comma || byte === closeBracket;
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

/** Goes to the first place from `start` that holds no JSON white space (RFC 8259 §2), or to the end. */
function* skipSpace(body: Buffer, start: number): Generator<undefined, number> {
  let at = start;
  while (at < body.length && isSpace(body[at])) {
    at += 1;
    if (at % stretchBytes === 0) yield undefined;
  }
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === space || byte === lineFeed || byte === carriageReturn || byte === tab;
}
