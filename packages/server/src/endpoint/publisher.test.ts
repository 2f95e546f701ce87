import { afterEach, describe, expect, it } from "vitest";
import { LogError, type EventLog, type LogErrorCode } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import { createPublisher, type PublishMeter } from "./publisher.js";

const limits = { payload_bytes: 64, publish_body_bytes: 1_000, publish_batch_events: 3 };
const clock = { now: () => 0, wall: () => Date.UTC(2026, 0, 31, 12) };
const good = { event_type: "GPU_UPDATE", cluster_id: "c-1", event_id: "e1", payload: { t: 70 } };

const logs: EventLog[] = [];

function memoryLog(): EventLog {
  const log = createMemoryLog({
    clock,
    retention: { maxEvents: null, maxAgeMs: null, maxBytes: null },
    dedup: { windowMs: 60_000, maxIds: 1_000 },
  });
  logs.push(log);
  return log;
}

afterEach(async () => {
  await Promise.all(logs.splice(0).map((log) => log.close()));
});

/** A log whose appends end in `error`, in place of a full disk or a broken one. */
function refusingLog(error: unknown): EventLog {
  return Object.assign(Object.create(memoryLog()) as EventLog, { append: () => Promise.reject(error as Error) });
}

function recordingMeter(): PublishMeter & { readonly told: unknown[] } {
  const told: unknown[] = [];
  return { told, accepted: (publish) => told.push(publish), refused: (reason) => told.push(reason) };
}

describe("publish", () => {
  it("tells events of the same id apart by their source", async () => {
    const publisher = createPublisher({ log: memoryLog(), limits, clock });
    const fromA = { ...good, source: "/a" };
    expect(await publisher.publish([fromA, { ...good, source: "/b" }, good])).toMatchObject({ duplicates: 0 });
    expect(await publisher.publish([{ ...good, source: "/b" }, good])).toMatchObject({ duplicates: 2, lastSeq: 3 });
    expect(await publisher.publish(fromA)).toMatchObject({ duplicates: 1, firstSeq: 1 });
  });

  it("makes one event or several durable, and says where they are", async () => {
    const log = memoryLog();
    const meter = recordingMeter();
    const publisher = createPublisher({ log, limits, clock, meter });
    expect(await publisher.publish(good)).toEqual({
      outcome: "accepted",
      accepted: 1,
      firstSeq: 1,
      lastSeq: 1,
      duplicates: 0,
    });
    const again = await publisher.publish([good, { ...good, event_id: "e2" }, { ...good, event_id: "e3" }]);
    expect(again).toEqual({ outcome: "accepted", accepted: 3, firstSeq: 1, lastSeq: 3, duplicates: 1 });
    const { records } = await log.read(0, { limit: 10 });
    expect(records.map(({ seq, eventId, eventType, clusterId }) => [seq, eventId, eventType, clusterId])).toEqual([
      [1, "e1", "GPU_UPDATE", "c-1"],
      [2, "e2", "GPU_UPDATE", "c-1"],
      [3, "e3", "GPU_UPDATE", "c-1"],
    ]);
    const bytes = records.map(({ fields }) => fields.length);
    expect(meter.told).toEqual([
      { events: 1, duplicates: 0, bytes: bytes[0], waitedMs: 0 },
      { events: 3, duplicates: 1, bytes: bytes.reduce((sum, length) => sum + length, 0), waitedMs: 0 },
    ]);
  });

  it.each([
    ["nothing", [], { name: "no-events", detail: "There is no event to publish" }],
    ["too many", [good, good, good, good], { name: "batch-too-large", allowed: 3 }],
    ["no object", "text", { name: "invalid-event", index: 0 }],
    ["undefined", undefined, { name: "invalid-event", index: 0 }],
    ["a bad second", [good, { ...good, event_type: "A B" }], { name: "invalid-event", index: 1, field: "event_type" }],
    ["a Date", { ...good, payload: new Date(0) }, { name: "invalid-event", index: 0, field: "payload" }],
    ["a large one", { ...good, payload: "a".repeat(63) }, { name: "payload-too-large", index: 0, allowed: 64 }],
  ])("refuses %s and stores nothing", async (_, events, problem) => {
    const log = memoryLog();
    const meter = recordingMeter();
    const outcome = await createPublisher({ log, limits, clock, meter }).publish(events);
    expect(outcome).toMatchObject({ outcome: "refused", problem });
    expect(meter.told).toEqual([problem.name]);
    expect(log.head).toBe(0);
  });

  it.each<LogErrorCode>(["LOG_FULL", "LOG_BUSY", "LOG_FAILED", "LOG_CLOSED", "LOG_UNREACHABLE"])(
    "tells of %s",
    async (code) => {
      const meter = recordingMeter();
      const publisher = createPublisher({ log: refusingLog(new LogError(code, "no")), limits, clock, meter });
      expect(await publisher.publish(good)).toEqual({ outcome: "unavailable", code });
      expect(meter.told).toEqual([code]);
    },
  );

  it.each([new LogError("LOG_DAMAGED", "bad"), new RangeError("too long")])(
    "throws what is our own fault: %s",
    async (error) => {
      const meter = recordingMeter();
      const publisher = createPublisher({ log: refusingLog(error), limits, clock, meter });
      await expect(publisher.publish(good)).rejects.toBe(error);
      expect(meter.told).toEqual(["internal-error"]);
    },
  );

  it("bounds what waits for room and for the log", async () => {
    let makeRoom = (): void => {};
    const room = new Promise<void>((resolve) => {
      makeRoom = resolve;
    });
    const meter = recordingMeter();
    const log = memoryLog();
    const publisher = createPublisher({ log, limits, clock, meter, room: () => room, waitingBytesMax: 1_000 });
    const first = publisher.publish(good);
    const second = publisher.publish({ ...good, event_id: "e2" });
    expect(await publisher.publish({ ...good, event_id: "e3" })).toEqual({ outcome: "unavailable", code: "LOG_BUSY" });
    expect(meter.told).toEqual(["LOG_BUSY"]);
    expect(log.head).toBe(0);
    makeRoom();
    expect(await first).toMatchObject({ outcome: "accepted", lastSeq: 1 });
    expect(await second).toMatchObject({ outcome: "accepted", lastSeq: 2 });
    expect(await publisher.publish({ ...good, event_id: "e3" })).toMatchObject({ outcome: "accepted", lastSeq: 3 });
  });

  it("needs no meter", async () => {
    const publisher = createPublisher({ log: memoryLog(), limits, clock });
    expect(await publisher.publish([])).toMatchObject({ outcome: "refused" });
    expect(await publisher.publish(good)).toMatchObject({ outcome: "accepted" });
    expect(() => publisher.countRefusal("forbidden")).not.toThrow();
  });
});
