// Whether a long text is worth decoding: its depth and size, told from its bytes before a value is built of them.
import { jsonBytes } from "./json-bytes.js";
import type { EventText } from "./publish-texts.js";

/**
 * Shorter texts are decoded at once, bytes. Decoding costs up to 0.6 µs a bracket and 2 µs a member, so 1.6 MB of them
 * would hold up everybody for a second; this look at the bytes costs 2 ns each.
 */
export const unmeasuredBytesMax = 8_192;

/** Deeper than any event that passes the checks, which say exactly how deep a payload may be. */
export const textDepthMax = 1_000;

const {
  backslash,
  carriageReturn,
  closeBrace,
  closeBracket,
  colon,
  comma,
  lineFeed,
  openBrace,
  openBracket,
  quote,
  space,
  tab,
} = jsonBytes;
const unicodeEscape = 0x75;

/**
 * What makes a text too costly to decode: more than `textDepthMax` levels, or more than `bytesMax` bytes once white
 * space and escapes are gone (a number counts as one byte, a key given twice counts twice). Undefined = nothing, or the
 * text is short. Says nothing on whether it is JSON.
 */
export function costOf(body: Buffer, { start, end }: EventText, bytesMax: number): "depth" | "bytes" | undefined {
  if (end - start <= unmeasuredBytesMax) return undefined;
  let depth = 0;
  let bytes = 0;
  let isInScalar = false;
  for (let at = start; at < end; at += 1) {
    const wasInScalar = isInScalar;
    isInScalar = false;
    switch (body[at]) {
      case quote: {
        bytes += 2;
        for (at += 1; at < end && body[at] !== quote; bytes += 1) at += lengthInString(body, at);
        break;
      }
      case openBracket:
      case openBrace:
        bytes += 1;
        depth += 1;
        if (depth > textDepthMax) return "depth";
        break;
      case closeBracket:
      case closeBrace:
        bytes += 1;
        depth -= 1;
        break;
      case comma:
      case colon:
        bytes += 1;
        break;
      case space:
      case lineFeed:
      case carriageReturn:
      case tab:
        break;
      default:
        isInScalar = true;
        if (!wasInScalar) bytes += 1;
    }
    if (bytes > bytesMax) return "bytes";
  }
  return undefined;
}

/** Bytes of what stands at `at` in a string and comes out as one byte or more: an escape, or a byte. */
function lengthInString(body: Buffer, at: number): number {
  if (body[at] !== backslash) return 1;
  return body[at + 1] === unicodeEscape ? 6 : 2;
}
