import { PassThrough } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { LineWriter } from "./line-writer.js";

describe("LineWriter", () => {
  it("joins the lines of a turn into one write", async () => {
    const stream = new PassThrough();
    const write = vi.spyOn(stream, "write");
    const writer = new LineWriter(stream, vi.fn(), vi.fn());
    writer.write("a");
    writer.write("b");
    expect(write).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(write.mock.calls).toEqual([["a\nb\n"]]);
  });

  it("does not gather more than 64 Ki characters", () => {
    const stream = new PassThrough();
    const write = vi.spyOn(stream, "write");
    const writer = new LineWriter(stream, vi.fn(), vi.fn());
    writer.write("x".repeat(65_534));
    expect(write).not.toHaveBeenCalled();
    writer.write("");
    expect(write).toHaveBeenCalledTimes(1);
  });

  it("says once when the stream is full, and once when it has room again", async () => {
    const stream = new PassThrough({ highWaterMark: 10 });
    const onFull = vi.fn();
    const onDrain = vi.fn();
    const writer = new LineWriter(stream, onFull, onDrain);
    writer.write("0123456789");
    await Promise.resolve();
    writer.write("more");
    await Promise.resolve();
    expect(onFull).toHaveBeenCalledTimes(1);
    expect(onDrain).not.toHaveBeenCalled();
    stream.resume();
    await vi.waitFor(() => expect(onDrain).toHaveBeenCalledTimes(1));
    expect(onFull).toHaveBeenCalledTimes(1);
  });

  it("loses nothing at its end", async () => {
    const stream = new PassThrough();
    const writer = new LineWriter(stream, vi.fn(), vi.fn());
    writer.write("last");
    stream.resume();
    const ended = writer.end();
    await ended;
    expect(stream.listenerCount("drain")).toBe(0);
  });
});
