import { describe, expect, it } from "vitest";
import { PackedEvent, PackedRecord, fieldsLengthOf, writeRecordHeader } from "./packed-event.js";

/** An event in the middle of others' bytes. */
function among(bytesAround: number, id: string, fields: string): PackedEvent {
  const record = Buffer.from(`12345678${id}${fields}`);
  const bytes = Buffer.alloc(bytesAround + record.length, "?");
  const start = bytesAround >> 1;
  record.copy(bytes, start);
  const fieldsStart = start + 8 + Buffer.byteLength(id);
  writeRecordHeader(bytes, start, fieldsStart, start + record.length);
  return new PackedEvent(bytes, start, fieldsStart, start + record.length, "T", "c");
}

describe("PackedEvent", () => {
  it("is a draft", () => {
    const draft = { eventId: "größe", eventType: "T", clusterId: undefined, fields: Buffer.from('"a":1') };
    for (const event of [PackedEvent.of(draft), PackedEvent.ofText("größe", "T", undefined, '"a":1')]) {
      const { eventId, eventType, clusterId, fields } = event;
      expect({ eventId, eventType, clusterId, fields }).toEqual(draft);
      expect([event.fieldsLength, fieldsLengthOf(event), fieldsLengthOf(draft), event.idLength]).toEqual([5, 5, 5, 7]);
      expect(PackedEvent.of(event)).toBe(event);
    }
  });

  it("has its record as a block takes it", () => {
    const { bytes, start, end } = among(100, "id", "fields");
    expect([bytes.readUInt32LE(start), bytes.readUInt16LE(start + 6), end - start]).toEqual([6, 2, 16]);
  });
});

describe("PackedRecord", () => {
  it("keeps nothing of its neighbours once its fields were asked for", () => {
    const record = new PackedRecord(7, 8, among(100_000, "id", "fields"));
    expect(record.event.bytes.length).toBeGreaterThan(100_000);
    expect(record.fields.toString()).toBe("fields");
    expect(record.fields).toBe(record.fields);
    expect([record.event.bytes.buffer.byteLength, record.fields.buffer.byteLength]).toEqual([8192, 8192]);
    const { seq, appendedAtMs, eventId, eventType, clusterId, fieldsLength } = record;
    expect([seq, appendedAtMs, eventId, eventType, clusterId, fieldsLength]).toEqual([7, 8, "id", "T", "c", 6]);
  });

  it("copies nothing where that would save little", () => {
    const record = new PackedRecord(7, 8, among(9_000, "id", "f".repeat(9_000)));
    expect(record.fields.buffer).toBe(record.event.bytes.buffer);
  });
});
