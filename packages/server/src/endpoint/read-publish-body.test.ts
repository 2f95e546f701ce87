import { PassThrough } from "node:stream";
import { ByteBudget } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { readPublishBody } from "./read-publish-body.js";

describe("readPublishBody", () => {
  it.each([9, 10])("collects %i bytes of 10 and leaves them to be given back", async (length) => {
    const budget = new ByteBudget(100);
    const stream = new PassThrough();
    const reading = readPublishBody(stream, 10, budget);
    stream.write("a".repeat(4));
    stream.end("b".repeat(length - 4));
    const read = await reading;
    expect(read.ok && read.body.toString()).toBe("aaaa".padEnd(length, "b"));
    expect(budget.bytes).toBe(length);
  });

  it("stops at the first byte over the limit and gives back what it took", async () => {
    const budget = new ByteBudget(100);
    const stream = new PassThrough();
    const reading = readPublishBody(stream, 10, budget);
    stream.write("a".repeat(10));
    stream.write("b");
    expect(await reading).toEqual({ ok: false, reason: "too-large" });
    expect(budget.bytes).toBe(0);
    expect(stream.readableFlowing).toBe(true);
    stream.destroy(new Error("late"));
  });

  it("stops when the process holds too much already", async () => {
    const budget = new ByteBudget(100);
    expect(budget.take(95)).toBe(true);
    const stream = new PassThrough();
    const reading = readPublishBody(stream, 10, budget);
    stream.write("a".repeat(5));
    stream.write("b");
    expect(await reading).toEqual({ ok: false, reason: "no-room" });
    expect(budget.bytes).toBe(95);
  });

  it.each([undefined, new Error("reset")])("says that the client went away (%s)", async (error) => {
    const budget = new ByteBudget(100);
    const stream = new PassThrough();
    const reading = readPublishBody(stream, 10, budget);
    stream.write("a");
    stream.destroy(error);
    expect(await reading).toEqual({ ok: false, reason: "aborted" });
    expect(budget.bytes).toBe(0);
    expect(await readPublishBody(stream, 10, budget)).toEqual({ ok: false, reason: "aborted" });
  });
});
