import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { PostOutcome } from "./post-outcome.js";
import { publishLines, type PublishLinesOptions } from "./publish-lines.js";

const line = (n: number): string => `{"event_id":"${n}","event_type":"A","payload":${n}}`;

/** A service that counts on, and remembers what it was sent. */
function service(refuseAfter = Number.POSITIVE_INFINITY) {
  const ids: string[] = [];
  let underWay = 0;
  const post = async (events: readonly string[]): Promise<PostOutcome> => {
    underWay += 1;
    if (underWay > 1) throw new Error("two requests at once");
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    if (ids.length + events.length > refuseAfter) return { kind: "refused", status: 403, why: "no", index: undefined };
    const firstSeq = ids.length + 1;
    for (const text of events) ids.push((JSON.parse(text) as { event_id: string }).event_id);
    return { kind: "accepted", accepted: events.length, firstSeq, lastSeq: ids.length, duplicates: 0 };
  };
  return { ids, post };
}

function publish(input: Readable, options: Partial<PublishLinesOptions> & Pick<PublishLinesOptions, "post">) {
  return publishLines({
    input,
    fromLine: 1,
    bytesTotal: undefined,
    onProgress: () => undefined,
    interrupted: new AbortController().signal,
    ...options,
  });
}

const input = (text: string): Readable =>
  Readable.from(text.match(/[^]{1,1000}/g)?.map((part) => Buffer.from(part)) ?? []);

describe("publishLines", () => {
  it("publishes every line in order, one request at a time", async () => {
    const { ids, post } = service();
    const numbers = Array.from({ length: 5_000 }, (_, index) => index);
    const { end, so } = await publish(input(numbers.map(line).join("\n")), { post });
    expect(end).toEqual({ kind: "done" });
    expect(ids).toEqual(numbers.map(String));
    expect(so).toMatchObject({ events: 5_000, firstSeq: 1, lastSeq: 5_000, lastLine: 5_000 });
  });

  it("publishes nothing from nothing", async () => {
    const { end, so } = await publish(input(""), service());
    expect([end, so.events]).toEqual([{ kind: "done" }, 0]);
  });

  it("publishes what stands before a bad line, and names it", async () => {
    const { ids, post } = service();
    const { end, so } = await publish(input(`${line(1)}\n\n${line(2)}\n{"payload":1}\n${line(3)}\n`), { post });
    expect(end).toEqual({ kind: "bad-line", line: 4, field: "event_type", problem: "is required" });
    expect([ids, so.lastLine]).toEqual([["1", "2"], 3]);
  });

  it("goes on from a line", async () => {
    const { ids, post } = service();
    await publish(input(`not even JSON\n${line(2)}\n${line(3)}\n`), { post, fromLine: 2 });
    expect(ids).toEqual(["2", "3"]);
  });

  it("ends at a refusal, with what was accepted before it", async () => {
    const { post } = service(1_500);
    const numbers = Array.from({ length: 20_000 }, (_, index) => index);
    const { end, so } = await publish(input(numbers.map(line).join("\n")), { post });
    expect(end).toEqual({ kind: "refused", status: 403, why: "no", line: undefined });
    expect(so.events).toBeLessThanOrEqual(1_500);
    expect(so.lastLine).toBe(so.events);
  });

  it("sends a line of a slow producer at once", async () => {
    const { ids, post } = service();
    const stdin = new PassThrough();
    const published = new Promise<void>((resolve) => {
      void publish(stdin, { post, onProgress: () => resolve() });
    });
    stdin.write(`${line(1)}\n`);
    await published;
    expect(ids).toEqual(["1"]);
    stdin.end();
  });

  it("ends when interrupted, after the request under way", async () => {
    const interruption = new AbortController();
    const stdin = new PassThrough();
    const { ids, post } = service();
    const running = publish(stdin, { post, interrupted: interruption.signal, onProgress: () => interruption.abort() });
    stdin.write(`${line(1)}\n`);
    const { end, so } = await running;
    expect([end, so.events, ids]).toEqual([{ kind: "interrupted" }, 1, ["1"]]);
    expect(stdin.destroyed).toBe(true);
  });

  it("tells when the input can't be read on", async () => {
    const stdin = new PassThrough();
    const running = publish(stdin, service());
    const error = Object.assign(new Error("gone"), { code: "EIO" });
    stdin.destroy(error);
    expect((await running).end).toEqual({ kind: "unreadable", error });
  });

  it("counts bytes and events for progress", async () => {
    const text = `${line(1)}\n${line(2)}\n`;
    const seen: unknown[] = [];
    await publish(input(text), {
      ...service(),
      bytesTotal: text.length,
      onProgress: (counts) => seen.push(counts),
      now: () => 5,
    });
    expect(seen).toEqual([{ events: 2, elapsedMs: 0, bytes: text.length, bytesTotal: text.length }]);
  });
});
