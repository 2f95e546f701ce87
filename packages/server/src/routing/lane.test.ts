import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import { Lane, type LaneMember } from "./lane.js";
import { SharedEvent } from "./shared-event.js";
import { SubscriptionSet } from "./subscription-set.js";
import { websocketEncoding } from "./websocket-encoding.js";

interface Member extends LaneMember {
  readonly name: string;
}

const memberOf = (name: string): Member => ({ name, laneSlot: -1 });
const laneOf = (): Lane<Member> => new Lane<Member>(SubscriptionSet.empty, websocketEncoding);
const eventOf = (seq: number, durableAtMs = 0): SharedEvent =>
  new SharedEvent({ ...draftOf(seq), seq, appendedAtMs: 0 }, durableAtMs);
const names = (members: Iterable<Member>): string[] => Array.from(members, ({ name }) => name);

describe("Lane", () => {
  it("takes an event once, however often it is offered, and counts its bytes", () => {
    const lane = laneOf();
    const [first, second] = [eventOf(1), eventOf(2)];
    expect([lane.accept(first), lane.accept(first), lane.accept(second)]).toEqual([true, false, true]);
    expect(lane.batch).toEqual([first, second]);
    expect(lane.batchBytes).toBe(first.bytes(websocketEncoding).length + second.bytes(websocketEncoding).length);
  });

  it("keeps the slots of its level members true as they come and go", () => {
    const lane = laneOf();
    const [a, b, c] = [memberOf("a"), memberOf("b"), memberOf("c")];
    for (const member of [a, b, c]) lane.addLevel(member);
    lane.removeLevel(a);
    expect(names(lane.level)).toEqual(["c", "b"]);
    expect([a, b, c].map(({ laneSlot }) => laneSlot)).toEqual([-1, 1, 0]);
    lane.removeLevel(b);
    lane.removeLevel(c);
    expect([lane.level.length, b.laneSlot, c.laneSlot]).toEqual([0, -1, -1]);
  });

  it("has a member in one place at a time", () => {
    const lane = laneOf();
    const member = memberOf("a");
    const places = (): string[][] => [names(lane.level), names(lane.behind), names(lane.parked)];
    lane.addLevel(member);
    lane.toBehind(member);
    expect(places()).toEqual([[], ["a"], []]);
    lane.toParked(member);
    expect(places()).toEqual([[], [], ["a"]]);
    lane.toBehind(member);
    expect(places()).toEqual([[], ["a"], []]);
    lane.toLevel(member);
    expect(places()).toEqual([["a"], [], []]);
    lane.toParked(member);
    lane.remove(member);
    expect([places(), lane.isEmpty]).toEqual([[[], [], []], true]);
  });

  it("is empty only when nobody is level, behind or parked", () => {
    for (const move of ["addLevel", "toBehind", "toParked"] as const) {
      const lane = laneOf();
      const member = memberOf("a");
      lane[move](member);
      expect(lane.isEmpty).toBe(false);
      lane.remove(member);
      expect(lane.isEmpty).toBe(true);
    }
  });

  it("counts what was flushed, and notes no seq while all are level", () => {
    const lane = laneOf();
    lane.addLevel(memberOf("a"));
    lane.record([eventOf(3, 10), eventOf(5, 12)], 77, 20, 100);
    expect(lane.totals).toEqual({ events: 2, bytes: 77, latencySumMs: 18, flushedAtMs: 20 });
    expect([lane.end, lane.flushedSeq, lane.window.start, lane.window.end]).toEqual([2, 5, 2, 2]);
  });

  it("notes seqs for those behind and parked, as many as it may, and forgets them when all are level or gone", () => {
    for (const [away, back] of [
      ["toBehind", "toLevel"],
      ["toParked", "toLevel"],
      ["toBehind", "remove"],
      ["toParked", "remove"],
    ] as const) {
      const lane = laneOf();
      const member = memberOf("slow");
      lane.record([eventOf(1)], 1, 0, 3);
      lane[away](member);
      lane.record([eventOf(2), eventOf(4)], 1, 0, 3);
      lane.record([eventOf(6), eventOf(8)], 1, 0, 3);
      expect([lane.window.start, lane.window.end, lane.end]).toEqual([2, 5, 5]);
      expect([2, 3, 4].map((ordinal) => lane.window.at(ordinal))).toEqual([4, 6, 8]);
      lane[back](member);
      expect([lane.window.start, lane.window.end]).toEqual([5, 5]);
    }
  });
});
