// A payload on its way in: any JSON value, encoded once, refused where encoding would change it unseen.

/** The strictest decoder that a subscriber is likely to use takes 64 levels (.NET's System.Text.Json). */
const decoderDepth = 64;
/** A page of history is the widest wrapping: the page, its `events`, the event. */
const wrappingDepth = 3;

/**
 * Most levels of arrays and objects in a payload; a number or string is 0, `[]` is 1. More is refused: what we accept,
 * every subscriber must be able to decode, and our own encoder recurses.
 */
export const payloadDepthMax = decoderDepth - wrappingDepth;

/** Most bytes that one UTF-16 code unit takes in UTF-8. */
const utf8BytesMax = 3;

const utf8 = new TextEncoder();

/** What became of a payload. `text` is its JSON, whose UTF-8 is within the limit. */
export type PayloadEncoding =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: "invalid-event" | "payload-too-large"; readonly problem: string };

/**
 * Encodes a payload as JSON. `bytesMax` is measured on the UTF-8 of that JSON, without the white space it came in with.
 * Refused besides: more than `payloadDepthMax` levels; a number outside IEEE 754 double (`1e999` would come out as
 * null); from callers in this process, what is no JSON value (undefined, functions, BigInt, class instances), for it
 * would vanish. A lone surrogate comes out as its escape (`\ud800`, ECMA-262 §25.5.2), so the text is always
 * well-formed UTF-8.
 */
export function encodePayload(payload: unknown, bytesMax: number): PayloadEncoding {
  const problem = findProblem(payload, 0);
  if (problem !== undefined) return { ok: false, reason: "invalid-event", problem };
  const text = JSON.stringify(payload);
  if (exceeds(text, bytesMax)) {
    return { ok: false, reason: "payload-too-large", problem: `must be at most ${bytesMax} bytes of JSON` };
  }
  return { ok: true, text };
}

const notJson = "must be made of JSON values: plain objects, arrays, strings, finite numbers, booleans and null";

function findProblem(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : "holds a number outside the range of IEEE 754 double (RFC 8259 §6)";
    case "object":
      if (value === null) return undefined;
      if (depth === payloadDepthMax) return `must not be nested more than ${payloadDepthMax} levels deep`;
      return Array.isArray(value) ? findInArray(value, depth + 1) : findInObject(value, depth + 1);
    default:
      return notJson;
  }
}

function findInArray(items: readonly unknown[], depth: number): string | undefined {
  for (const item of items) {
    const problem = findProblem(item, depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function findInObject(object: object, depth: number): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) return notJson;
  const members = object as Readonly<Record<string, unknown>>;
  for (const key in members) {
    const problem = findProblem(members[key], depth);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function exceeds(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return true;
  if (text.length * utf8BytesMax <= bytesMax) return false;
  return utf8.encode(text).byteLength > bytesMax;
}
