import { setImmediate } from "node:timers/promises";
import { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { LineWriter } from "./line-writer.js";

describe("LineWriter", () => {
  it("joins the lines of a turn into one write, across promises", async () => {
    const stream = new PassThrough();
    const write = vi.spyOn(stream, "write");
    const writer = new LineWriter(stream);
    expect(writer.write("a")).toBeUndefined();
    await Promise.resolve();
    expect(writer.write("b")).toBeUndefined();
    expect(write).not.toHaveBeenCalled();
    await setImmediate();
    expect(write.mock.calls).toEqual([["a\nb\n"]]);
  });

  it("does not gather more than 64 Ki characters", () => {
    const stream = new PassThrough();
    const write = vi.spyOn(stream, "write");
    const writer = new LineWriter(stream);
    void writer.write("x".repeat(65_534));
    expect(write).not.toHaveBeenCalled();
    void writer.write("");
    expect(write).toHaveBeenCalledTimes(1);
  });

  it("says what to wait for while the stream is full, and until when", async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    const writer = new LineWriter(stream);
    expect(writer.write("0123456789")).toBeUndefined();
    await setImmediate();
    const room = writer.write("more");
    expect(room).toBeInstanceOf(Promise);
    stream.resume();
    await room;
    await setImmediate();
    expect(writer.write("again")).toBeUndefined();
  });

  it("loses nothing at its end, and lets everybody go", async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    const chunks: string[] = [];
    const writer = new LineWriter(stream);
    void writer.write("first");
    await setImmediate();
    const room = writer.write("last");
    stream.on("data", (chunk) => chunks.push(String(chunk)));
    await writer.end();
    await room;
    expect(chunks.join("")).toBe("first\nlast\n");
    expect(stream.listenerCount("drain")).toBe(0);
  });
});
