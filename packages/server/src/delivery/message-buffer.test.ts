import type { Policy } from "@sluice/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeqWindow } from "../routing/seq-window.js";
import { SubscriptionSet } from "../routing/subscription-set.js";
import { setOf } from "./contract/delivery-world.js";
import { MessageBuffer, type Gap, type LaneView } from "./message-buffer.js";

/** A lane of which every seq is known, with a window of its newest. */
class KnownLane implements LaneView {
  readonly set = SubscriptionSet.empty;
  readonly window = new SeqWindow();
  readonly seqs: number[] = [];
  readonly #windowMax: number;

  constructor(windowMax: number) {
    this.#windowMax = windowMax;
  }

  get end(): number {
    return this.seqs.length;
  }

  get lastSeq(): number {
    return this.seqs.at(-1) ?? 0;
  }

  flush(...seqs: readonly number[]): void {
    for (const seq of seqs) {
      this.seqs.push(seq);
      this.window.push(seq);
    }
  }

  trim(): void {
    this.window.trimTo(this.#windowMax);
  }
}

const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function bufferOf(policy: Policy, maxMessages: number, lane: KnownLane): MessageBuffer {
  const buffer = new MessageBuffer({ maxMessages, policy, position: 0 });
  buffer.join(lane, 0);
  return buffer;
}

/** What a buffer gives out: seqs, and gaps. A range gives what the lane had in it. */
function takeAll(buffer: MessageBuffer, lane: KnownLane, most = Number.POSITIVE_INFINITY): (number | Gap)[] {
  const taken: (number | Gap)[] = [];
  while (taken.length < most) {
    const step = buffer.next(lane);
    if (step.kind === "level") break;
    if (step.kind === "event") {
      taken.push(step.seq);
      buffer.passEvent(step.seq);
    } else if (step.kind === "gap") {
      taken.push(step.gap);
      buffer.passGap(step.gap);
    } else {
      const { after, until } = step.range;
      const seq = lane.seqs.find((candidate) => candidate > after && candidate <= until);
      if (seq !== undefined) taken.push(seq);
      buffer.passRange(seq ?? until, seq === undefined ? 0 : 1);
    }
  }
  return taken;
}

const overflow = (fromSeq: number, toSeq: number, dropped: number | null): Gap => ({
  reason: "overflow",
  fromSeq,
  toSeq,
  dropped,
});
const retention = (fromSeq: number, toSeq: number, dropped: number | null): Gap => ({
  reason: "retention",
  fromSeq,
  toSeq,
  dropped,
});

describe("drop-oldest", () => {
  it("skips nothing up to the limit, and the oldest past it", () => {
    for (const [waiting, gap] of [
      [2, []],
      [3, []],
      [4, [overflow(1, 1, 1)]],
      [7, [overflow(1, 4, 4)]],
    ] as const) {
      const lane = new KnownLane(10);
      const buffer = bufferOf("drop-oldest", 3, lane);
      lane.flush(...oneTo(waiting));
      expect(buffer.droppedBy(lane)).toBe(Math.max(0, waiting - 3));
      expect(buffer.size(lane)).toBe(Math.min(3, waiting));
      expect(takeAll(buffer, lane)).toEqual([...gap, ...oneTo(waiting).slice(-3)]);
    }
  });

  it("gives one gap for what was skipped in several goes, up to the event that comes next", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 2, lane);
    lane.flush(2, 4, 6);
    expect(buffer.droppedBy(lane)).toBe(1);
    lane.flush(8, 9);
    expect(takeAll(buffer, lane)).toEqual([overflow(1, 7, 3), 8, 9]);
  });

  it("does not know how many a gap dropped that took in one of unknown size", () => {
    const lane = new KnownLane(3);
    const buffer = bufferOf("drop-oldest", 3, lane);
    buffer.replay(lane, { after: 0, until: 5, match: lane.set, count: null }, undefined);
    buffer.next(lane);
    buffer.loseRange(9);
    buffer.catchingUp = false;
    lane.flush(6, 7, 8, 9);
    expect(takeAll(buffer, lane)).toEqual([overflow(1, 6, null), 7, 8, 9]);
    expect(buffer.dropped).toBe(1);
  });
});

describe("drop-newest", () => {
  it("keeps the oldest when it freezes, and puts a gap behind them when it thaws", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-newest", 3, lane);
    lane.flush(1, 2, 3, 4);
    buffer.freeze(lane);
    lane.flush(5, 6);
    expect([buffer.size(lane), buffer.droppedBy(lane), buffer.dropped]).toEqual([3, 3, 0]);
    expect(takeAll(buffer, lane, 2)).toEqual([1, 2]);
    buffer.thaw(lane);
    lane.flush(7);
    expect(takeAll(buffer, lane)).toEqual([3, overflow(4, 6, 3), 7]);
    expect(buffer.droppedBy(lane)).toBe(3);
  });

  it("keeps nothing more when segments have filled it", () => {
    const [lane, other] = [new KnownLane(10), new KnownLane(10)];
    const buffer = bufferOf("drop-newest", 3, lane);
    lane.flush(1, 2, 3);
    buffer.setAside(lane);
    buffer.join(other, 3);
    other.flush(4, 5);
    buffer.freeze(other);
    expect([buffer.size(other), buffer.droppedBy(other)]).toEqual([3, 2]);
  });

  it("sends nothing of what it has counted as dropped, also when all that it kept is taken in one go", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-newest", 2, lane);
    lane.flush(1, 2, 3, 4);
    buffer.freeze(lane);
    expect(buffer.droppedBy(lane)).toBe(2);
    expect(takeAll(buffer, lane)).toEqual([1, 2, overflow(3, 4, 2)]);
    expect([buffer.frozen, buffer.droppedBy(lane)]).toEqual([false, 2]);
  });

  it("thaws without a gap when nothing came meanwhile", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-newest", 2, lane);
    lane.flush(1, 2);
    buffer.freeze(lane);
    buffer.thaw(lane);
    expect(takeAll(buffer, lane)).toEqual([1, 2]);
  });
});

describe("replay", () => {
  it("turns to the log for what the window has let go of, and counts it exactly", () => {
    const lane = new KnownLane(2);
    const buffer = bufferOf("replay", 2, lane);
    lane.flush(3, 5, 8, 9);
    lane.trim();
    expect(buffer.size(lane)).toBe(4);
    const step = buffer.next(lane);
    expect(step).toMatchObject({ kind: "range", range: { after: 0, until: 7, count: 2, match: lane.set } });
    expect(buffer.size(lane)).toBe(4);
    expect(takeAll(buffer, lane)).toEqual([3, 5, 8, 9]);
    expect([buffer.passed, buffer.position, buffer.droppedBy(lane)]).toEqual([4, 9, 0]);
  });

  it("says how many were lost when all of a counted range was, and null when part of it was", () => {
    for (const [lostTo, gap, rest] of [
      [6, retention(1, 6, null), [8, 9]],
      [7, retention(1, 7, 2), [8, 9]],
      [20, retention(1, 7, 2), [8, 9]],
    ] as const) {
      const lane = new KnownLane(2);
      const buffer = bufferOf("replay", 2, lane);
      lane.flush(3, 5, 8, 9);
      lane.trim();
      buffer.next(lane);
      buffer.loseRange(lostTo);
      expect(takeAll(buffer, lane)).toEqual([gap, ...rest]);
      expect(buffer.passed, "two in the range, two in the window").toBe(4);
      expect(buffer.dropped).toBe(gap.dropped ?? 0);
    }
  });

  it("gives no gap for a stretch of the log that held nothing for it", () => {
    const lane = new KnownLane(1);
    const buffer = bufferOf("replay", 2, lane);
    lane.flush(3, 8);
    lane.trim();
    buffer.next(lane);
    buffer.passRange(3, 1);
    buffer.loseRange(7);
    expect(takeAll(buffer, lane)).toEqual([8]);
    expect(buffer.dropped).toBe(0);
  });
});

describe("what is lost to retention", () => {
  it("is one gap for neighbours, up to the last that is lost", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(2, 4, 6, 8);
    buffer.next(lane);
    buffer.loseEvents(lane, 7);
    expect(takeAll(buffer, lane)).toEqual([retention(2, 6, 3), 8]);
    expect([buffer.dropped, buffer.passed]).toEqual([3, 4]);
  });

  it("is not promised as sent before its gap was", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(2, 4);
    buffer.next(lane);
    buffer.loseEvents(lane, 2);
    expect(buffer.sentTo).toBeLessThan(2);
    takeAll(buffer, lane);
    expect(buffer.sentTo).toBe(4);
  });

  it("does not reach into what is behind a segment", () => {
    const [lane, other] = [new KnownLane(10), new KnownLane(10)];
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(1, 2);
    buffer.setAside(lane);
    buffer.join(other, 2);
    other.flush(3);
    buffer.next(other);
    buffer.loseEvents(other, 3);
    expect(takeAll(buffer, other)).toEqual([retention(1, 2, 2), 3]);
  });
});

describe("a since", () => {
  it("goes behind what waits and before what comes", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(1, 2, 3);
    expect(takeAll(buffer, lane, 1)).toEqual([1]);
    buffer.replay(lane, { after: 1, until: 3, match: lane.set, count: null }, undefined);
    lane.flush(4);
    expect(takeAll(buffer, lane)).toEqual([2, 3, 2, 3, 4]);
  });

  it("puts the gap of what is known to be lost before itself", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(1, 2);
    const lost = { reason: "epoch", fromSeq: 0, toSeq: 1, dropped: null } as const;
    buffer.replay(lane, { after: 1, until: 2, match: lane.set, count: null }, lost);
    expect(takeAll(buffer, lane)).toEqual([1, 2, lost, 2]);
  });

  it("is skipped by no policy, nor is what comes until it has met the live end", () => {
    for (const policy of ["drop-oldest", "drop-newest", "disconnect"] as const) {
      const lane = new KnownLane(2);
      const buffer = bufferOf(policy, 2, lane);
      lane.flush(...oneTo(4));
      if (policy === "drop-newest") buffer.freeze(lane);
      buffer.replay(lane, { after: 0, until: 4, match: lane.set, count: null }, undefined);
      lane.flush(5, 6, 7, 8, 9);
      lane.trim();
      expect(buffer.isLossless).toBe(true);
      expect(takeAll(buffer, lane).slice(-9)).toEqual(oneTo(9));
    }
  });

  it("takes back what a ping may promise, until it is through", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(...oneTo(9));
    takeAll(buffer, lane);
    expect(buffer.sentTo).toBe(9);
    buffer.replay(lane, { after: 3, until: 9, match: lane.set, count: null }, undefined);
    expect([buffer.position, buffer.sentTo]).toEqual([9, 3]);
    takeAll(buffer, lane, 2);
    expect(buffer.sentTo).toBe(5);
    takeAll(buffer, lane);
    expect(buffer.sentTo).toBe(9);
  });
});

describe("changes of subscriptions", () => {
  const matches = (buffer: MessageBuffer, lane: LaneView, eventType: string): boolean | undefined => {
    const step = buffer.next(lane);
    return step.kind === "event" ? (step.filter?.matches(eventType, undefined) ?? true) : undefined;
  };

  it("narrow what waits to what every set since then wants, however many they are", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    lane.flush(1, 2);
    buffer.setAside(lane);
    expect(matches(buffer, lane, "A")).toBe(true);
    for (let change = 0; change < 20; change += 1) buffer.narrow(setOf({ A: null, B: null, [`C${change}`]: null }));
    expect(["A", "B", "C19", "D"].map((type) => matches(buffer, lane, type))).toEqual([true, true, false, false]);
    buffer.narrow(setOf({ A: null }));
    expect(["A", "B"].map((type) => matches(buffer, lane, type))).toEqual([true, false]);
  });

  it("burden the buffer by sets that differ, not by changes to and fro", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    expect(buffer.burden).toBe(0);
    lane.flush(1);
    buffer.setAside(lane);
    expect(buffer.burden).toBe(1);
    for (let change = 0; change < 20; change += 1) buffer.narrow(setOf({ [change % 2 === 0 ? "A" : "B"]: null }));
    expect(buffer.burden).toBe(3);
    takeAll(buffer, lane);
    expect(buffer.burden).toBe(0);
  });
});

describe("the place of a reply", () => {
  it("is reached exactly when what waited before it has been sent or skipped", () => {
    const lane = new KnownLane(3);
    const buffer = bufferOf("drop-oldest", 3, lane);
    lane.flush(1, 2, 3);
    takeAll(buffer, lane, 1);
    const place = buffer.passed + buffer.ahead(lane);
    lane.flush(4, 5);
    expect(takeAll(buffer, lane, 2)).toEqual([overflow(2, 2, 1), 3]);
    expect(buffer.passed).toBe(place);
  });

  it("is reached though a replay found less than its range is long, or lost part of it", () => {
    const lane = new KnownLane(10);
    const buffer = bufferOf("drop-oldest", 10, lane);
    buffer.replay(lane, { after: 0, until: 1000, match: lane.set, count: null }, undefined);
    const place = buffer.passed + buffer.ahead(lane);
    buffer.next(lane);
    buffer.loseRange(300);
    takeAll(buffer, lane);
    expect(buffer.passed).toBe(place);
  });
});

describe("the place of a reply within a stretch of the log that is partly lost", () => {
  it("is where the loss is: nobody knows how many of what is left come before it", () => {
    const lane = new KnownLane(2);
    const buffer = bufferOf("replay", 9, lane);
    lane.flush(3);
    const place = buffer.passed + buffer.ahead(lane);
    lane.flush(5, 8, 9, 12);
    lane.trim();
    expect(buffer.next(lane)).toMatchObject({ kind: "range", range: { until: 8, count: 3 } });
    buffer.loseRange(4);
    expect(buffer.passed).toBeGreaterThanOrEqual(place);
    const later = buffer.passed + buffer.ahead(lane);
    takeAll(buffer, lane);
    expect(buffer.passed, "and what is queued after the loss is not late").toBe(later);
  });
});

describe("misuse", () => {
  it("is told: a range or an event is passed that is not next", () => {
    const buffer = bufferOf("replay", 2, new KnownLane(2));
    expect(() => buffer.passRange(1, 1)).toThrow("no range is next");
    expect(() => buffer.loseRange(1)).toThrow("no range is next");
    expect(() => buffer.loseEvents(undefined, 1)).toThrow("no event is next");
    expect(buffer.next(undefined)).toEqual({ kind: "level" });
  });
});

/** The list that a buffer is, each policy in its few words. */
class ListModel {
  pending: number[] = [];
  dropped = 0;
  #isFrozen = false;
  readonly #policy: Policy;
  readonly #maxMessages: number;

  constructor(policy: Policy, maxMessages: number) {
    this.#policy = policy;
    this.#maxMessages = maxMessages;
  }

  push(seqs: readonly number[]): void {
    if (this.#isFrozen) {
      this.dropped += seqs.length;
      return;
    }
    this.pending.push(...seqs);
    const excess = Math.max(0, this.pending.length - this.#maxMessages);
    if (this.#policy === "drop-oldest") this.dropped += this.pending.splice(0, excess).length;
    if (this.#policy === "drop-newest" && excess > 0) {
      this.dropped += this.pending.splice(this.#maxMessages).length;
      this.#isFrozen = true;
    }
  }

  take(count: number): number[] {
    return this.pending.splice(0, count);
  }

  thaw(): void {
    this.#isFrozen = false;
  }
}

describe("against a list", () => {
  const operation = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("flush" as const),
        steps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 8 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("move" as const, "look" as const) }) },
  );

  it.each(["drop-oldest", "drop-newest", "replay"] as const)("%s keeps, skips and counts the same", (policy) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(operation, { maxLength: 40 }), (maxMessages, operations) => {
        let lane = new KnownLane(maxMessages);
        const buffer = bufferOf(policy, maxMessages, lane);
        const model = new ListModel(policy, maxMessages);
        let seq = 0;
        let skipped = 0;
        const take = (count: number): void => {
          const taken: number[] = [];
          for (let step = buffer.next(lane); taken.length < count && step.kind !== "level"; step = buffer.next(lane)) {
            const [one] = takeAll(buffer, lane, 1);
            if (typeof one === "number") taken.push(one);
            else skipped += one?.dropped ?? 0;
          }
          expect(taken).toEqual(model.take(count));
        };
        for (const next of operations) {
          if (next.kind === "flush") {
            const seqs = next.steps.map((step) => (seq += step));
            lane.flush(...seqs);
            model.push(seqs);
            if (policy === "drop-newest" && !buffer.frozen && buffer.size(lane) > maxMessages) buffer.freeze(lane);
            lane.trim();
          } else if (next.kind === "take") {
            take(next.count);
            if (buffer.frozen) buffer.thaw(lane);
            model.thaw();
          } else if (next.kind === "move") {
            // What comes is skipped in the new lane too, when it is still full there.
            buffer.setAside(lane);
            model.thaw();
            lane = Object.assign(new KnownLane(maxMessages), { seqs: [...lane.seqs] });
            for (const held of lane.seqs) lane.window.push(held);
            lane.trim();
            buffer.join(lane, seq);
          }
          expect(buffer.droppedBy(lane)).toBe(model.dropped);
          expect(buffer.size(lane)).toBe(model.pending.length);
        }
        take(Number.POSITIVE_INFINITY);
        expect([buffer.dropped, skipped, buffer.burden]).toEqual([model.dropped, model.dropped, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
