import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GapFrame } from "@sluice/protocol";
import { createInbox, type Inbox } from "./inbox.js";
import { eventOf } from "./testing/fake-socket.js";

const limits = { itemsMax: 4, sizeMax: 100 };
const gap = (from: number, to: number, more: Partial<GapFrame> = {}): GapFrame => ({
  type: "gap",
  reason: "retention",
  from_seq: from,
  to_seq: to,
  dropped: null,
  ...more,
});

/** Takes everything, fetching from a log of `seqs` with pages of `pageMax`. */
function drain(inbox: Inbox, seqs: readonly number[], pageMax = 3, takeMax = Number.POSITIVE_INFINITY): number[] {
  const taken: number[] = [];
  while (taken.length < takeMax) {
    const step = inbox.take();
    if (step === undefined) break;
    if ("item" in step) taken.push(step.seq);
    else {
      const found = seqs.filter((seq) => seq > step.since && seq <= step.until);
      const page = found.slice(0, pageMax);
      inbox.addHistory(
        page.map((seq) => eventOf(seq)),
        found.length > page.length ? (page.at(-1) as number) : step.until,
      );
    }
  }
  return taken;
}

describe("Inbox", () => {
  it("counts what came and was not handed out, in memory or let go of", () => {
    const inbox = createInbox(limits);
    const log = Array.from({ length: 13 }, (_, seq) => seq);
    inbox.begin("e", 0, 0);
    for (const seq of log.slice(1)) inbox.offer(eventOf(seq), 1);
    expect([inbox.pending, inbox.size <= limits.itemsMax]).toEqual([12, true]);
    for (let taken = 1; taken <= 12; taken += 1) {
      drain(inbox, log, 3, 1);
      expect(inbox.pending).toBe(12 - taken);
    }
  });

  it("hands out history up to the live stream, then that", () => {
    const inbox = createInbox(limits);
    inbox.begin("e", 2, 5);
    inbox.offer(eventOf(5), 1);
    inbox.offer(eventOf(6), 1);
    expect(inbox.isBehind).toBe(true);
    expect(drain(inbox, [1, 2, 3, 4, 5, 6])).toEqual([3, 4, 5, 6]);
    expect(inbox.isBehind).toBe(false);
  });

  it.each([3, 4, 5])("keeps %i of at most 4 in memory, and lets go of what is more", (count) => {
    const inbox = createInbox(limits);
    inbox.begin("e", 0, 0);
    const seqs = Array.from({ length: count }, (_, index) => index + 1);
    const isTooMuch = seqs.map((seq) => inbox.offer(eventOf(seq), 1));
    expect(isTooMuch.includes(true)).toBe(count > 4);
    expect(inbox.size).toBe(count > 4 ? 0 : count);
    expect(drain(inbox, seqs)).toEqual(seqs);
  });

  it("counts characters, and takes one event that is larger than all of the room", () => {
    const inbox = createInbox(limits);
    inbox.begin("e", 0, 0);
    expect([inbox.offer(eventOf(1), 101), inbox.fill]).toEqual([false, 1.01]);
    expect([inbox.offer(eventOf(2), 1), inbox.fill]).toEqual([true, 0]);
    expect(drain(inbox, [1, 2])).toEqual([1, 2]);
  });

  it("moves the position of who has it all, and of nobody else", () => {
    const inbox = createInbox(limits);
    inbox.begin("e", 0, 0);
    expect(inbox.settle(7)).toBe(true);
    expect([inbox.position, inbox.settle(7)]).toEqual([7, false]);
    inbox.offer(eventOf(8), 1);
    expect(inbox.settle(9)).toBe(false);
    inbox.take();
    expect([inbox.settle(9), inbox.position]).toEqual([true, 9]);
  });

  it("hands out what it has before the gap of another log, and what it has not is in the gap", () => {
    const inbox = createInbox(limits);
    inbox.begin("e", 0, 0);
    inbox.offer(eventOf(8), 1);
    inbox.beginOtherLog("f", gap(0, 0, { reason: "epoch" }), 0, 2);
    expect(drain(inbox, [1, 2])).toEqual([8, 0, 1, 2]);

    inbox.begin("e", 0, 5);
    inbox.offer(eventOf(8), 1);
    inbox.beginOtherLog("f", gap(0, 0, { reason: "epoch" }), 0, 0);
    expect(drain(inbox, [])).toEqual([0, 8]);
  });

  it("has everything in order and once, whatever is fast, slow, cut or joined again", () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 7 }) }),
      fc.record({ kind: fc.constant("ping" as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant("cut" as const), count: fc.constant(0) }),
      fc.record({ kind: fc.constant("join" as const), count: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (actions, pageMax) => {
        const inbox = createInbox(limits);
        inbox.begin("e", 0, 0);
        const log: number[] = [];
        const taken: number[] = [];
        let head = 0;
        let completeTo = 0;
        let isJoined = true;
        for (const { kind, count } of actions) {
          if (kind === "publish") {
            for (let index = 0; index < count; index += 1) {
              head += 1 + (index % 2);
              log.push(head);
              if (isJoined) inbox.offer(eventOf(head), 1);
            }
          } else if (kind === "take") taken.push(...drain(inbox, log, pageMax, count));
          else if (kind === "ping" && isJoined) inbox.settle(head);
          else if (kind === "cut" && isJoined) {
            isJoined = false;
            completeTo = head;
          } else if (kind === "join" && !isJoined) {
            isJoined = true;
            inbox.rejoin(completeTo, head);
          }
          expect(inbox.size).toBeLessThanOrEqual(2 * limits.itemsMax + pageMax);
        }
        if (!isJoined) inbox.rejoin(completeTo, head);
        taken.push(...drain(inbox, log, pageMax));
        expect(taken).toEqual(log);
      }),
    );
  });
});
