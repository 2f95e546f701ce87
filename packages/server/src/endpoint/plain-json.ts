// Reads JSON that is written as `JSON.stringify` would write it, but for white space, from its bytes: such a text needs
// no value built of it and no encoding anew, it is checked and taken as it stands. It says no to everything else, valid
// or not, which is then decoded in the ordinary way: what comes out is the same.
import { jsonBytes } from "./json-bytes.js";

/** No: the text is not in the plain form. */
export const notPlain = -1;

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
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;

/** Every number of so many digits is what its double is written as (IEEE 754: DBL_DIG). */
const exactDigitsMax = 15;
/** No double is written longer, characters. */
const numberLengthMax = 25;
/** Most keys of one object, and of all objects around a place; each is compared with those before it. */
const objectKeysMax = 64;
const openKeysMax = 256;

/**
 * Hashes of the keys of the objects around a place, of each its own ones last. One for all: a value is read in one go.
 */
const keys = new Int32Array(openKeysMax);

/** What may follow a backslash where `JSON.stringify` writes one: " \ b f n r t. */
const plainEscapes = new Uint8Array(256);
for (const byte of Buffer.from('"\\bfnrt')) plainEscapes[byte] = 1;

/** What a number is made of. */
const numberBytes = new Uint8Array(256);
for (const byte of Buffer.from("0123456789+-.eE")) numberBytes[byte] = 1;

const literals = ["true", "false", "null"].map((literal) => Buffer.from(literal));

/** A reader of plain JSON in one body, which is UTF-8. */
export class PlainJson {
  /** White space between tokens passed over since this was set, bytes. */
  spaces = 0;
  readonly #body: Buffer;
  readonly #depthMax: number;
  #keyCount = 0;
  #limit = 0;

  /** @param depthMax most levels of arrays and objects in a value */
  constructor(body: Buffer, depthMax: number) {
    this.#body = body;
    this.#depthMax = depthMax;
  }

  /** Goes no further than to `end` from now on. */
  limitTo(end: number): void {
    this.#limit = end;
  }

  /** Where the value that begins at `start` ends, or {@link notPlain}. */
  endOfValue(start: number): number {
    this.#keyCount = 0;
    return this.#value(start, 0);
  }

  /** The first place from `start` on that holds no white space (RFC 8259 §2). */
  skipSpace(start: number): number {
    const body = this.#body;
    let at = start;
    if ((body[at] as number) > space) return at;
    for (; at < this.#limit; at += 1) {
      const byte = body[at] as number;
      if (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab) break;
    }
    this.spaces += at - start;
    return at;
  }

  #value(start: number, depth: number): number {
    if (start >= this.#limit) return notPlain;
    const byte = this.#body[start] as number;
    switch (byte) {
      case quote:
        return this.#string(start + 1);
      case openBrace:
        return depth === this.#depthMax ? notPlain : this.#object(start + 1, depth + 1);
      case openBracket:
        return depth === this.#depthMax ? notPlain : this.#array(start + 1, depth + 1);
      default:
        return byte === minus || (byte >= zero && byte <= nine) ? this.#number(start) : this.#literal(start);
    }
  }

  /** Where the string ends whose first character is at `start`. */
  #string(start: number): number {
    const body = this.#body;
    const limit = this.#limit;
    for (let at = start; at < limit; at += 1) {
      const byte = body[at] as number;
      if (byte === quote) return at + 1;
      if (byte < space) return notPlain;
      if (byte !== backslash) continue;
      at += 1;
      if (plainEscapes[body[at] as number] !== 1) return notPlain;
    }
    return notPlain;
  }

  #object(start: number, depth: number): number {
    const body = this.#body;
    const keysBefore = this.#keyCount;
    let at = this.skipSpace(start);
    if (body[at] === closeBrace) return at + 1;
    for (;;) {
      if (body[at] !== quote) return notPlain;
      at = this.#key(at + 1, keysBefore);
      if (at === notPlain) return notPlain;
      at = this.skipSpace(at);
      if (body[at] !== colon) return notPlain;
      at = this.#value(this.skipSpace(at + 1), depth);
      if (at === notPlain) return notPlain;
      at = this.skipSpace(at);
      if (body[at] === closeBrace) break;
      if (body[at] !== comma) return notPlain;
      at = this.skipSpace(at + 1);
    }
    this.#keyCount = keysBefore;
    return at + 1;
  }

  /**
   * Where the key ends. A second one of its name would be left out, and one that looks like an index of an array would
   * come first.
   */
  #key(start: number, keysBefore: number): number {
    const body = this.#body;
    const first = body[start] as number;
    if (first >= zero && first <= nine) return notPlain;
    const end = this.#string(start);
    if (end === notPlain) return notPlain;
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (body[at] as number)) | 0;
    const count = this.#keyCount;
    if (count === openKeysMax || count - keysBefore === objectKeysMax) return notPlain;
    for (let at = keysBefore; at < count; at += 1) if (keys[at] === hash) return notPlain;
    keys[count] = hash;
    this.#keyCount = count + 1;
    return end;
  }

  #array(start: number, depth: number): number {
    const body = this.#body;
    let at = this.skipSpace(start);
    if (body[at] === closeBracket) return at + 1;
    for (;;) {
      at = this.#value(at, depth);
      if (at === notPlain) return notPlain;
      at = this.skipSpace(at);
      if (body[at] === closeBracket) return at + 1;
      if (body[at] !== comma) return notPlain;
      at = this.skipSpace(at + 1);
    }
  }

  #number(start: number): number {
    const body = this.#body;
    let at = body[start] === minus ? start + 1 : start;
    const first = body[at] as number;
    const wholeStart = at;
    at = this.#endOfDigits(at);
    const wholeDigits = at - wholeStart;
    let digits = wholeDigits;
    if (body[at] === point) {
      at += 1;
      const fractionStart = at;
      at = this.#endOfDigits(at);
      digits += at - fractionStart;
      // 1.50 is written as 1.5, and 0.0000001 with an exponent.
      const isShort = body[at - 1] !== zero && (first !== zero || body[fractionStart] !== zero);
      if (at === fractionStart || !isShort) digits = Number.POSITIVE_INFINITY;
    } else if (first === zero && wholeStart > start) digits = Number.POSITIVE_INFINITY; // -0
    if (wholeDigits === 0 || (first === zero && wholeDigits > 1)) return notPlain;
    if (numberBytes[body[at] as number] !== 1 && digits <= exactDigitsMax) return at;
    return this.#longNumber(start, at);
  }

  #endOfDigits(start: number): number {
    const body = this.#body;
    let at = start;
    while (at < this.#limit && (body[at] as number) >= zero && (body[at] as number) <= nine) at += 1;
    return at;
  }

  /** A number that has to be looked at as a double; its first bytes, up to `known`, are those of a number. */
  #longNumber(start: number, known: number): number {
    let end = known;
    while (end < this.#limit && numberBytes[this.#body[end] as number] === 1) end += 1;
    if (end - start > numberLengthMax) return notPlain;
    const text = this.#body.toString("latin1", start, end);
    return String(Number(text)) === text ? end : notPlain;
  }

  #literal(start: number): number {
    const literal = literals.find((bytes) => bytes[0] === this.#body[start]);
    if (literal === undefined) return notPlain;
    for (let index = 1; index < literal.length; index += 1) {
      if (this.#body[start + index] !== literal[index]) return notPlain;
    }
    return start + literal.length;
  }
}
