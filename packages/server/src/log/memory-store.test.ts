import { expect, it } from "vitest";
import { MemoryStore } from "./memory-store.js";
import { PackedEvent, PackedRecord, writeRecordHeader } from "./packed-event.js";

const recordBytes = 1_000;

/** Events side by side in one piece of memory. */
function sideBySide(count: number): PackedEvent[] {
  const bytes = Buffer.alloc(count * recordBytes, "x");
  return Array.from({ length: count }, (_, n) => {
    const [start, end] = [n * recordBytes, (n + 1) * recordBytes];
    writeRecordHeader(bytes, start, start + 10, end);
    return new PackedEvent(bytes, start, start + 10, end, "T", undefined);
  });
}

it.each([
  ["the few that are stored of a publish apart from the rest", [0, 7, 99], 5_000],
  ["a publish of which most is stored as it is", Array.from({ length: 60 }, (_, n) => n), 100_000],
])("keeps %s", async (_, stored, keptBytes) => {
  const store = new MemoryStore({ maxEvents: null, maxAgeMs: null, maxBytes: null });
  const events = sideBySide(100);
  const others = sideBySide(2);
  const records = [...stored.map((n) => events[n] as PackedEvent), ...others];
  await store.write(records.map((event, index) => new PackedRecord(index + 1, 1, event)));
  const kept = new Set<Buffer>();
  store.scan(0, { limit: 1_000 }, (_seq, _type, _cluster, bytes, start, end) => {
    kept.add(bytes);
    expect(bytes.toString("latin1", start, end)).toBe("x".repeat(recordBytes - 10));
  });
  const bytes = [...kept].reduce((sum, piece) => sum + piece.length, 0);
  expect(bytes).toBeGreaterThanOrEqual(records.length * recordBytes);
  expect(bytes).toBeLessThanOrEqual(keptBytes + 2 * recordBytes);
});
