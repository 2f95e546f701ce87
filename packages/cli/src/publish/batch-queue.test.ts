import { describe, expect, it } from "vitest";
import { BatchQueue } from "./batch-queue.js";

const limits = { events: 2, bytes: 1_000 };

describe("BatchQueue", () => {
  it("lets what is there go at once, full or not", async () => {
    const queue = new BatchQueue(limits);
    queue.add("a", 1);
    expect((await queue.take())?.texts).toEqual(["a"]);
  });

  it("gathers what comes meanwhile", async () => {
    const queue = new BatchQueue(limits);
    for (const [index, text] of ["a", "b", "c"].entries()) queue.add(text, index);
    queue.end();
    expect((await queue.take())?.texts).toEqual(["a", "b"]);
    expect((await queue.take())?.texts).toEqual(["c"]);
    expect(await queue.take()).toBeUndefined();
  });

  it("wakes a sender that waits", async () => {
    const queue = new BatchQueue(limits);
    const taken = queue.take();
    queue.add("a", 1);
    await queue.flush();
    expect((await taken)?.texts).toEqual(["a"]);
    const last = queue.take();
    queue.end();
    expect(await last).toBeUndefined();
  });

  it("holds the reader back at two full batches, until one is taken or all is over", async () => {
    const queue = new BatchQueue(limits);
    for (const text of ["a", "b", "c"]) queue.add(text, 1);
    await queue.flush();
    queue.add("d", 1);
    let mayGoOn = false;
    const waiting = queue.flush().then(() => (mayGoOn = true));
    await Promise.resolve();
    expect(mayGoOn).toBe(false);
    await queue.take();
    await waiting;
    expect(mayGoOn).toBe(true);

    for (const text of ["e", "f", "g", "h"]) queue.add(text, 1);
    const ended = queue.flush();
    queue.end();
    await ended;
  });
});
