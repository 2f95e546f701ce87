import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import type { EventRecord } from "../log/event-log.js";
import { takePage } from "../log/take-page.js";
import { deflateEncoding } from "../routing/deflate-encoding.js";
import { encodeEvent, type Encoding } from "../routing/encoding.js";
import { createSseEncoding } from "../routing/sse-encoding.js";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { RecordColumns } from "./record-columns.js";

function recordOf(seq: number, over: Partial<EventRecord> = {}): EventRecord {
  return { ...draftOf(`e-${seq}`, { eventType: "A", clusterId: "c-1" }), seq, appendedAtMs: 0, ...over };
}

function columnsOf(records: readonly EventRecord[]): RecordColumns {
  const columns = new RecordColumns(records.length);
  columns.begin(websocketEncoding);
  takePage({ records, scannedTo: 0, oldest: 1, head: 0 }, columns.take);
  return columns;
}

describe("RecordColumns", () => {
  it("gives back seqs, and what travels of the records", () => {
    const fields = ['"n":1', '"n":22', `"n":"${"x".repeat(300_000)}"`, "", '"n":3'];
    const records = fields.map((one, index) => recordOf(2 ** 40 + 2 * index, { fields: Buffer.from(one) }));
    const columns = columnsOf(records);
    expect(columns.length).toBe(records.length);
    for (const [index, record] of records.entries()) {
      expect([columns.seqAt(index), columns.fieldsBytesAt(index)]).toEqual([record.seq, record.fields.length]);
      for (const encoding of [websocketEncoding, deflateEncoding, createSseEncoding("epoch")]) {
        const plain: Encoding = { ...encoding, encodeLive: undefined };
        expect(columns.frames(encoding, index, index + 1)).toEqual(encodeEvent(plain, record));
      }
    }
    const all = Buffer.concat(records.map((record) => encodeEvent(websocketEncoding, record)));
    expect(columns.frames(websocketEncoding, 0, records.length).equals(all)).toBe(true);
    expect(columns.frames(deflateEncoding, 0, 1).buffer, "the same").toBe(
      columns.frames(websocketEncoding, 0, 1).buffer,
    );
  });

  it("uses its memory again for another encoding", () => {
    const columns = columnsOf([1, 2, 3].map((seq) => recordOf(seq, { eventType: `T-${seq}` })));
    const { memoryBytes } = columns;
    const { buffer } = columns.frames(websocketEncoding, 0, 3);
    const sse = createSseEncoding("epoch");
    columns.begin(sse);
    const record = recordOf(9, { eventType: "B" });
    takePage({ records: [record], scannedTo: 9, oldest: 1, head: 9 }, columns.take);
    expect([columns.length, columns.memoryBytes]).toEqual([1, memoryBytes]);
    expect(columns.frames(sse, 0, 1)).toEqual(encodeEvent(sse, record));
    expect(columns.frames(sse, 0, 1).buffer).toBe(buffer);
    expect(columns.frames(websocketEncoding, 0, 1)).toEqual(encodeEvent(websocketEncoding, record));
    expect(columns.wanted({ matches: (eventType) => eventType === "B" })(0)).toBe(true);
  });

  it("finds the first after a seq, also where seqs are missing", () => {
    const columns = columnsOf([3, 4, 9].map((seq) => recordOf(seq)));
    expect([0, 2, 3, 4, 8, 9, 10].map((after) => columns.indexAfter(after))).toEqual([0, 0, 1, 2, 2, 3, 3]);
    expect(columnsOf([]).indexAfter(0)).toBe(0);
  });

  it("asks a match once for each pair of type and cluster", () => {
    const kinds = [
      ["A", "c-1"],
      ["A", undefined],
      ["B", "c-1"],
    ] as const;
    const records = Array.from({ length: 300 }, (_, index) => {
      const [eventType, clusterId] = kinds[index % 3] as (typeof kinds)[number];
      return recordOf(index + 1, { eventType, clusterId });
    });
    const asked: unknown[] = [];
    const isWanted = columnsOf(records).wanted({
      matches: (eventType, clusterId) => {
        asked.push([eventType, clusterId]);
        return eventType === "A" && clusterId === undefined;
      },
    });
    const wanted = records.map((_, index) => isWanted(index));
    expect(wanted).toEqual(records.map((_, index) => index % 3 === 1));
    expect(asked).toEqual(kinds);
  });
});
