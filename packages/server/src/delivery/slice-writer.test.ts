import { expect, it } from "vitest";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { Consumer } from "./consumer.js";
import { RecordingSink } from "./contract/recording-sink.js";
import { DeliveryTally } from "./delivery-tally.js";
import { SliceWriter } from "./slice-writer.js";
import type { Slice } from "./slice.js";

const frame = websocketEncoding.encodeFrame({ type: "pong", timestamp: "t", server_time: "s" });

function setUp(): { writer: SliceWriter; written: Buffer[]; sink: RecordingSink; consumer: Consumer } {
  const written: Buffer[] = [];
  const sink = new RecordingSink();
  const write = sink.write.bind(sink);
  sink.write = (bytes) => {
    written.push(bytes);
    return write(bytes);
  };
  const consumer = new Consumer({
    id: "1",
    encoding: websocketEncoding,
    sink,
    policy: "replay",
    maxMessages: 10,
    position: 0,
    now: 0,
  });
  return { writer: new SliceWriter(new DeliveryTally()), written, sink, consumer };
}

function sliceOf(...out: Buffer[]): Slice {
  return { out, isLent: false, chunkBytes: out.length, bytes: 0, looked: 0, writes: 0 };
}

it("joins what was collected in one write, and counts it", () => {
  const { writer, written, consumer } = setUp();
  const slice = sliceOf(frame, frame, frame);
  writer.write(consumer, slice);
  writer.write(consumer, slice);
  expect(written).toEqual([Buffer.concat([frame, frame, frame])]);
  expect(slice).toMatchObject({ out: [], chunkBytes: 0, bytes: 3 * frame.length, writes: 1 });
});

it("hands over as it is what is in one piece", () => {
  const { writer, written, consumer } = setUp();
  writer.write(consumer, sliceOf(frame));
  expect(written[0]).toBe(frame);
  const slice = sliceOf(frame);
  slice.isLent = true;
  writer.write(consumer, slice);
  expect([written[1], slice.isLent]).toEqual([frame, false]);
  expect(written[1]?.buffer, "but no memory that will be used again").not.toBe(frame.buffer);
});

it("uses the same memory again, but not what a transport holds on to", () => {
  const { writer, written, sink, consumer } = setUp();
  const memories = (): number => new Set(written.map(({ buffer }) => buffer)).size;
  for (let round = 0; round < 5; round += 1) writer.write(consumer, sliceOf(frame, frame));
  expect(memories()).toBe(1);
  sink.limit(1);
  writer.write(consumer, sliceOf(frame, frame));
  expect([memories(), sink.isBlocked]).toEqual([1, true]);
  const other = setUp();
  writer.write(other.consumer, sliceOf(frame, frame, frame));
  expect(other.written).toEqual([Buffer.concat([frame, frame, frame])]);
  const held = written.at(-1) ?? Buffer.alloc(0);
  expect(other.written[0]?.byteOffset, "behind what is held").toBe(held.byteOffset + held.length);
  sink.drain(Number.POSITIVE_INFINITY);
  expect(sink.misuses).toEqual([]);
});

it("gives memory of its own to a write that is larger than the shared one", () => {
  const { writer, written, consumer } = setUp();
  const large = Array.from({ length: Math.ceil((64 * 1024) / frame.length) }, () => frame);
  const bytes = large.length * frame.length;
  expect(bytes).toBeGreaterThan(64 * 1024);
  writer.write(consumer, sliceOf(...large));
  writer.write(consumer, sliceOf(frame, frame));
  expect(written[0]?.length).toBe(bytes);
  expect(written[0]?.buffer).not.toBe(written[1]?.buffer);
});
