import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import type { EventRecord } from "../log/event-log.js";
import { RecordColumns } from "./record-columns.js";

function recordOf(seq: number, over: Partial<EventRecord> = {}): EventRecord {
  return { ...draftOf(`e-${seq}`, { eventType: "A", clusterId: "c-1" }), seq, appendedAtMs: 0, ...over };
}

describe("RecordColumns", () => {
  it("gives back seqs and fields, of one memory or of many", () => {
    const memory = Buffer.from('"n":1"n":22"n":3');
    const fields = [memory.subarray(0, 5), memory.subarray(5, 11), Buffer.from('"n":333'), memory.subarray(11)];
    const columns = new RecordColumns(fields.map((one, index) => recordOf(2 ** 40 + 2 * index, { fields: one })));
    expect(columns.length).toBe(4);
    expect(columns.fieldsBytes).toBe(5 + 6 + 7 + 5);
    for (const [index, one] of fields.entries()) {
      expect(columns.seqAt(index)).toBe(2 ** 40 + 2 * index);
      expect(columns.fieldsBytesAt(index)).toBe(one.length);
      const encodable = columns.encodableAt(index);
      expect([encodable.seq, encodable.fields.toString()]).toEqual([2 ** 40 + 2 * index, one.toString()]);
    }
  });

  it("finds the first after a seq, also where seqs are missing", () => {
    const columns = new RecordColumns([3, 4, 9].map((seq) => recordOf(seq)));
    expect([0, 2, 3, 4, 8, 9, 10].map((after) => columns.indexAfter(after))).toEqual([0, 0, 1, 2, 2, 3, 3]);
    expect(new RecordColumns([]).indexAfter(0)).toBe(0);
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
    const isWanted = new RecordColumns(records).wanted({
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
