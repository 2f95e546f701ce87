import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCheckedBlockHeader, writeBlockHeader } from "./block-header.js";
import { blockBytesMax, encodeBlock, type EncodedBlock } from "./encode-block.js";
import type { EventRecord } from "./event-log.js";
import { PackedRecord } from "./packed-event.js";
import { PageBuilder } from "./page-builder.js";
import { readBlock, readBlockIds } from "./read-block.js";

const recordsOf = (drafts: readonly Omit<EventRecord, "seq" | "appendedAtMs">[], firstSeq: number): EventRecord[] =>
  drafts.map((draft, index) => ({ ...draft, seq: firstSeq + index, appendedAtMs: 1_800_000_000_123 }));

const encode = (records: readonly EventRecord[], start = 0): EncodedBlock =>
  encodeBlock(
    records.map((record) => PackedRecord.of(record)),
    start,
  );

const encodeAll = (records: readonly EventRecord[]): EncodedBlock[] => {
  const blocks: EncodedBlock[] = [];
  for (let start = 0; start < records.length;) {
    const block = encode(records, start);
    blocks.push(block);
    start += block.lastSeq - block.firstSeq + 1;
  }
  return blocks;
};

const readAllOf = (blocks: readonly EncodedBlock[], firstSeq: number): readonly EventRecord[] => {
  const head = blocks.at(-1)?.lastSeq ?? 0;
  const page = new PageBuilder(firstSeq - 1, { limit: 1e6 }, { oldest: firstSeq, head });
  for (const block of blocks) expect(readBlock(block.value, block.firstSeq, page)).toBe(block.lastSeq);
  return page.build().records;
};

const draft = fc.record({
  eventId: fc.string({ maxLength: 40, unit: "grapheme" }),
  eventType: fc.string({ maxLength: 20, unit: "grapheme" }),
  clusterId: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
  fields: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
});
const plain = { eventId: "id", eventType: "T", clusterId: "c", fields: Buffer.from("{}") };

describe("blocks", () => {
  it("give back what was put in", () => {
    fc.assert(
      fc.property(
        fc.array(draft, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 2 ** 52 }),
        (drafts, firstSeq) => {
          const records = recordsOf(drafts, firstSeq);
          const blocks = encodeAll(records);
          expect(readAllOf(blocks, firstSeq)).toEqual(records);
          expect(blocks.flatMap((block) => readBlockIds(block.value, block.firstSeq))).toEqual(
            drafts.map(({ eventId }) => eventId),
          );
        },
      ),
    );
  });

  it("are cut at 16 pages, and take one larger record alone", () => {
    const sizes = [62_000, 10_000, 30_000, 30_000, 100_000, 10];
    const records = recordsOf(
      sizes.map((size) => ({ ...plain, fields: Buffer.alloc(size) })),
      1,
    );
    const blocks = encodeAll(records);
    expect(blocks.map(({ firstSeq, lastSeq }) => [firstSeq, lastSeq])).toEqual([
      [1, 1],
      [2, 3],
      [4, 4],
      [5, 5],
      [6, 6],
    ]);
    expect(readAllOf(blocks, 1)).toEqual(records);
  });

  it.each([-1, 0, 1])("fill up to the limit exactly (%i)", (over) => {
    const overhead = encode(recordsOf([plain, plain], 1)).value.length - 2 * plain.fields.length;
    const half = Math.floor((blockBytesMax - overhead) / 2);
    const rest = blockBytesMax - overhead - half;
    const records = recordsOf(
      [half, rest + over].map((size) => ({ ...plain, fields: Buffer.alloc(size) })),
      1,
    );
    const [block] = encodeAll(records);
    expect(block?.lastSeq).toBe(over > 0 ? 1 : 2);
    expect(block?.value.length).toBeLessThanOrEqual(blockBytesMax);
  });

  it("write a pair of type and cluster once, and tell pairs apart that look alike", () => {
    const names = [
      ["A", undefined],
      ["A", ""],
      ["", "A"],
      ["A", "B"],
      ["AB", undefined],
      ["A", undefined],
    ] as const;
    const records = recordsOf(
      names.map(([eventType, clusterId]) => ({ ...plain, eventType, clusterId })),
      1,
    );
    const block = encode(records);
    expect(readCheckedBlockHeader(block.value, 1)).toMatchObject({ records: 6, pairs: 5 });
    expect(readAllOf([block], 1)).toEqual(records);
  });

  it("tell any flipped bit", () => {
    const { value } = encode(recordsOf([plain, plain], 1));
    for (let bit = 0; bit < value.length * 8; bit += 1) {
      const flipped = Buffer.from(value);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => readCheckedBlockHeader(flipped, 1)).toThrow(expect.objectContaining({ code: "LOG_DAMAGED" }));
    }
    expect(() => readCheckedBlockHeader(value.subarray(0, 20), 1)).toThrow(
      expect.objectContaining({ code: "LOG_DAMAGED" }),
    );
  });

  it("tell a block of another place and of another version", () => {
    const { value } = encode(recordsOf([plain], 7));
    expect(() => readCheckedBlockHeader(value, 8)).toThrow(expect.objectContaining({ code: "LOG_DAMAGED" }));
    const newer = Buffer.from(value);
    writeBlockHeader(newer, { firstSeq: 7, records: 1, pairs: 1, appendedAtMs: 0, version: 2 });
    expect(() => readCheckedBlockHeader(newer, 7)).toThrow(expect.objectContaining({ code: "LOG_FORMAT" }));
  });
});
