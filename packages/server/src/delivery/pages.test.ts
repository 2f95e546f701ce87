import { describe, expect, it } from "vitest";
import { draftOf, draftsOf, logOptionsOf, range } from "../log/contract/log-under-test.js";
import type { EventLog, PageBounds, ReadOptions, TakeRecord } from "../log/event-log.js";
import { createMemoryLog } from "../log/memory-log.js";
import type { Encoding } from "../routing/encoding.js";
import { createSseEncoding } from "../routing/sse-encoding.js";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { readFrames } from "./contract/recording-sink.js";
import type { Page } from "./page.js";
import { Pages } from "./pages.js";

/** A log of which every read is noted and takes as long as the test wants. */
async function logOf(events: number, over: { readonly fieldBytes?: number; readonly maxEvents?: number } = {}) {
  const retention = { maxEvents: over.maxEvents ?? null, maxAgeMs: null, maxBytes: null };
  const log = createMemoryLog(logOptionsOf({ retention }));
  const fields = Buffer.from(`"p":"${"x".repeat(over.fieldBytes ?? 0)}"`);
  if (events > 0) await log.append(draftsOf(1, events, { fields }));
  const reads: number[] = [];
  const gate: { wait: Promise<void> } = { wait: Promise.resolve() };
  const scan = async (after: number, options: ReadOptions, take: TakeRecord): Promise<PageBounds> => {
    reads.push(after);
    const { wait } = gate;
    const bounds = await log.scan(after, options, take);
    await wait;
    return bounds;
  };
  return { log, reads, gate, noted: { scan } as EventLog };
}

function taken(page: Page, from: number, to: number, encoding: Encoding = websocketEncoding): Buffer[] {
  const out: Buffer[] = [];
  page.take(encoding, from, to, out);
  return out;
}

const seqsOf = (page: Page): number[] =>
  Array.from({ length: page.records.length }, (_, index) => page.records.seqAt(index));

describe("Pages", () => {
  it("reads a page around the seq asked for, and has it at hand from then on", async () => {
    const { noted, reads } = await logOf(1100);
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    expect(pages.peek(700)).toBeUndefined();
    const page = await pages.read(700, websocketEncoding);
    expect([page.after, page.scannedTo, page.isFull, seqsOf(page)]).toEqual([512, 1024, true, range(513, 1024)]);
    expect([pages.peek(512), pages.peek(1023), pages.peek(511), pages.peek(1024)]).toEqual([
      page,
      page,
      undefined,
      undefined,
    ]);
    expect(reads).toEqual([512]);
  });

  it("shares one read among all who want the page at once", async () => {
    const { noted, reads } = await logOf(600);
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    const [one, two, other] = await Promise.all([
      pages.read(0, websocketEncoding),
      pages.read(500, websocketEncoding),
      pages.read(520, websocketEncoding),
    ]);
    expect(one).toBe(two);
    expect(other.after).toBe(512);
    expect(reads).toEqual([0, 512]);
  });

  it("keeps a page that the log's head is in, and reads it again for what has come since", async () => {
    const { log, noted, reads } = await logOf(10);
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    const page = await pages.read(3, websocketEncoding);
    expect([page.scannedTo, page.isFull]).toEqual([10, false]);
    expect([pages.peek(9), pages.peek(10)]).toEqual([page, undefined]);
    await log.append([draftOf("more")]);
    const longer = await pages.read(10, websocketEncoding);
    expect([longer.after, longer.scannedTo]).toEqual([0, 11]);
    expect(pages.peek(3)).toBe(longer);
    expect(pages.bytes, "the shorter one is gone").toBe(longer.bytes);
    expect(reads).toEqual([0, 0]);
  });

  it("reads anew when the read that it shares began before the head was far enough", async () => {
    const { log, noted, reads, gate } = await logOf(10);
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    let open = (): void => undefined;
    gate.wait = new Promise((resolve) => {
      open = resolve;
    });
    const early = pages.read(3, websocketEncoding);
    await new Promise(setImmediate);
    await log.append([draftOf("more")]);
    const late = pages.read(10, websocketEncoding);
    open();
    expect((await early).scannedTo).toBe(10);
    expect((await late).covers(10)).toBe(true);
    expect(reads).toEqual([0, 0]);
  });

  it("says by its extent that there is nothing where there is nothing", async () => {
    const { noted } = await logOf(10);
    const page = await new Pages({ log: noted, bytesMax: 10_000_000 }).read(10, websocketEncoding);
    expect(page.covers(10)).toBe(false);
  });

  it("ends a page at 256 KiB, and goes on behind it", async () => {
    const { noted, reads } = await logOf(6, { fieldBytes: 100_000 });
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    const first = await pages.read(0, websocketEncoding);
    expect([seqsOf(first), first.isFull]).toEqual([[1, 2], true]);
    const second = await pages.read(first.scannedTo, websocketEncoding);
    expect(seqsOf(second)).toEqual([3, 4]);
    expect(pages.peek(3)).toBeUndefined();
    expect(seqsOf(await pages.read(3, websocketEncoding))).toEqual([4, 5]);
    expect(reads).toEqual([0, 2, 3]);
    expect(
      seqsOf(await new Pages({ log: noted, bytesMax: 1 }).read(5, websocketEncoding)),
      "with no page before it at hand",
    ).toEqual([6]);
  });

  it("gives an event over that a page of its own", async () => {
    const { noted } = await logOf(2, { fieldBytes: 300_000 });
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    expect(seqsOf(await pages.read(0, websocketEncoding))).toEqual([1]);
    expect(seqsOf(await pages.read(1, websocketEncoding))).toEqual([2]);
  });

  it("holds at most its bound, and lets the least recently used go first", async () => {
    const { noted } = await logOf(2048);
    const costs = (await new Pages({ log: noted, bytesMax: 10_000_000 }).read(0, websocketEncoding)).bytes;
    const pages = new Pages({ log: noted, bytesMax: 2 * costs });
    await pages.read(0, websocketEncoding);
    await pages.read(512, websocketEncoding);
    expect(pages.bytes).toBe(2 * costs);
    pages.peek(0);
    await pages.read(1024, websocketEncoding);
    expect(pages.bytes).toBe(2 * costs);
    expect([0, 512, 1024].map((after) => pages.peek(after) !== undefined)).toEqual([true, false, true]);
    const none = new Pages({ log: noted, bytesMax: costs - 1 });
    expect((await none.read(0, websocketEncoding)).scannedTo).toBe(512);
    expect([none.bytes, none.peek(0)]).toEqual([0, undefined]);
  });

  it("tells what retention has taken, and keeps what it has although retention takes it", async () => {
    const { log, noted } = await logOf(600, { maxEvents: 100 });
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    const gone = await pages.read(0, websocketEncoding);
    expect([gone.oldest, gone.scannedTo, seqsOf(gone)]).toEqual([501, 512, range(501, 512)]);
    await log.append([draftOf("later-1"), draftOf("later-2")]);
    expect(log.oldest).toBe(503);
    expect(seqsOf(pages.peek(500) as Page)).toEqual(range(501, 512));
  });

  it("encodes a page once, and gives runs of it as parts of that", async () => {
    const { noted } = await logOf(20);
    const page = await new Pages({ log: noted, bytesMax: 10_000_000 }).read(0, websocketEncoding);
    const [run] = taken(page, page.records.indexAfter(4), page.records.indexAfter(7));
    expect(readFrames(run as Buffer).map(({ seq }) => seq)).toEqual([5, 6, 7]);
    expect(taken(page, 0, 20)[0]?.buffer).toBe(run?.buffer);
    expect(taken(page, 3, 3)).toEqual([]);
    expect([
      page.records.indexAfter(0),
      page.records.indexAfter(19),
      page.records.indexAfter(20),
      page.records.indexAfter(99),
    ]).toEqual([0, 19, 20, 20]);
  });

  it("gives any run, whatever the encoding", async () => {
    const { noted } = await logOf(200, { fieldBytes: 1000 });
    const page = await new Pages({ log: noted, bytesMax: 10_000_000 }).read(0, websocketEncoding);
    for (const [from, to] of [
      [0, 1],
      [16, 17],
      [15, 18],
      [3, 200],
      [199, 200],
    ] as const) {
      const frames = readFrames(Buffer.concat(taken(page, from, to)));
      expect(frames.map(({ seq }) => seq)).toEqual(range(from + 1, to));
    }
    const text = Buffer.concat(taken(page, 0, 3, createSseEncoding("epoch"))).toString();
    expect(text.match(/^id: .*$/gm)).toEqual(["id: epoch:1", "id: epoch:2", "id: epoch:3"]);
  });

  it("uses memory again that nobody has in hand, and no other", async () => {
    const { noted } = await logOf(4 * 512);
    const costs = (await new Pages({ log: noted, bytesMax: 10_000_000 }).read(0, websocketEncoding)).bytes;
    const pages = new Pages({ log: noted, bytesMax: costs });
    const first = await pages.read(0, websocketEncoding);
    const second = await pages.read(512, websocketEncoding);
    const third = await pages.read(1024, websocketEncoding);
    expect(new Set([first.records, second.records, third.records]).size, "before a turn begins").toBe(3);
    pages.reclaim((page) => page === second);
    const fourth = await pages.read(1536, websocketEncoding);
    expect([fourth.records, seqsOf(fourth)]).toEqual([first.records, range(1537, 2048)]);
    expect(seqsOf(second)).toEqual(range(513, 1024));
    pages.reclaim(() => false);
    expect((await pages.read(0, websocketEncoding)).records, "third, and then second").toBe(third.records);
  });

  it("passes on what the log refuses with, and reads anew the next time", async () => {
    const { log, noted } = await logOf(3);
    const pages = new Pages({ log: noted, bytesMax: 10_000_000 });
    await log.close();
    await expect(pages.read(0, websocketEncoding)).rejects.toMatchObject({ code: "LOG_CLOSED" });
    await expect(
      Promise.all([pages.read(0, websocketEncoding), pages.read(1, websocketEncoding)]),
    ).rejects.toMatchObject({ code: "LOG_CLOSED" });
  });
});
