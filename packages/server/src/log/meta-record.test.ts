import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeMeta, encodeMeta, formatVersion } from "./meta-record.js";

const meta = { epoch: "7f2f8b9e-0f2f-4c1e-9a55-3f1f6f6d2a10", head: 2 ** 52 + 1, oldest: 2 ** 51, bytes: 2 ** 50 };

describe("meta record", () => {
  it("gives back what was put in", () => {
    expect(decodeMeta(encodeMeta(meta))).toEqual(meta);
  });

  it("tells any flipped bit, and a cut", () => {
    const value = encodeMeta(meta);
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const flipped = Buffer.from(value);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeMeta(flipped)).toThrow(expect.objectContaining({ code: "LOG_DAMAGED" }));
    }
    expect(() => decodeMeta(value.subarray(0, 8))).toThrow(expect.objectContaining({ code: "LOG_DAMAGED" }));
  });

  it("refuses another version, naming it", () => {
    const newer = encodeMeta(meta);
    newer.writeUInt32LE(formatVersion + 1, 8);
    newer.writeUInt32LE(crc32(newer.subarray(4)), 0);
    expect(() => decodeMeta(newer)).toThrow(expect.objectContaining({ code: "LOG_FORMAT" }));
    expect(() => decodeMeta(newer)).toThrow(`version ${formatVersion + 1};`);
  });
});
