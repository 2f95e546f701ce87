import { describe, expect, it } from "vitest";
import { KeyedHash } from "./keyed-hash.js";

describe("KeyedHash", () => {
  it("goes by its key", () => {
    const words = Int32Array.of(1, 2, 3, 4);
    const [one, same, other] = [7, 7, 8].map((byte) => new KeyedHash(Buffer.alloc(8, byte)).of(words, 0, 4));
    expect(one).toBe(same);
    expect(one).not.toBe(other);
  });

  it("goes by each bit of each word, and by no word outside", () => {
    const hash = new KeyedHash(Buffer.from("a key 8 "));
    const words = Int32Array.from({ length: 10 }, (_, index) => index * 0x01_23_45_67);
    const seen = new Set([hash.of(words, 1, 9)]);
    for (let bit = 0; bit < 8 * 32; bit += 1) {
      const changed = words.slice();
      changed[1 + (bit >> 5)] = (changed[1 + (bit >> 5)] ?? 0) ^ (1 << (bit & 31));
      seen.add(hash.of(changed, 1, 9));
    }
    expect(seen.size).toBe(257);
    words[0] = 99;
    words[9] = 99;
    expect(seen.has(hash.of(words, 1, 9))).toBe(true);
  });

  it("spreads what counts up over its low bits", () => {
    const hash = new KeyedHash();
    const buckets = new Int32Array(256);
    for (let n = 0; n < 25_600; n += 1) {
      const at = hash.of(Int32Array.of(n), 0, 1) & 255;
      buckets[at] = (buckets[at] ?? 0) + 1;
    }
    expect(Math.max(...buckets)).toBeLessThan(200);
    expect(Math.min(...buckets)).toBeGreaterThan(40);
  });
});
