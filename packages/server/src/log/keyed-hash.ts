// A hash of 32 bits for tables whose keys strangers choose: without the key nobody can make keys that meet in one place.
import { randomBytes } from "node:crypto";

/** The constants of HalfSipHash's second half of state. */
const initial2 = 0x6c_79_67_65;
const initial3 = 0x74_65_64_62;
const finalMark = 0xff;
const finalRounds = 3;

/**
 * HalfSipHash-1-3 with a random key of its own (Aumasson and Bernstein, SipHash, 2012; Linux takes the same for its
 * tables), over whole words: what is hashed must hold its own length. About 80 ns for a UUID.
 */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;

  /** @param key 8 bytes; default random */
  constructor(key: Buffer = randomBytes(8)) {
    this.#key0 = key.readInt32LE(0);
    this.#key1 = key.readInt32LE(4);
  }

  /** The hash of `words[start, end)`, a signed 32-bit integer. */
  of(words: Int32Array, start: number, end: number): number {
    let v0 = this.#key0;
    let v1 = this.#key1;
    let v2 = initial2 ^ v0;
    let v3 = initial3 ^ v1;
    // The rounds after the last word mix in nothing.
    const rounds = end + finalRounds;
    for (let at = start; at < rounds; at += 1) {
      const word = at < end ? (words[at] as number) : 0;
      if (at === end) v2 ^= finalMark;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}
