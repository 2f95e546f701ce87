import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import { Lane, type LaneMember } from "./lane.js";
import { SharedEvent } from "./shared-event.js";
import { SubscriptionSet } from "./subscription-set.js";
import { websocketEncoding } from "./websocket-encoding.js";

interface Member extends LaneMember {
  readonly name: string;
}

const memberOf = (name: string): Member => ({ name, laneSlot: -1, laneCursor: 0 });
const laneOf = (): Lane<Member> => new Lane<Member>(SubscriptionSet.empty, websocketEncoding);
const eventOf = (seq: number, durableAtMs = 0): SharedEvent =>
  new SharedEvent({ ...draftOf(seq), seq, appendedAtMs: 0 }, durableAtMs);
const bytesOf = (...events: readonly SharedEvent[]): number =>
  events.reduce((sum, event) => sum + event.bytes(websocketEncoding).length, 0);
const names = (members: Iterable<Member>): string[] => Array.from(members, ({ name }) => name);

describe("Lane", () => {
  it("takes an event once, however often it is offered, and counts its bytes", () => {
    const lane = laneOf();
    lane.addLevel(memberOf("a"));
    const [first, second] = [eventOf(1), eventOf(2)];
    expect([lane.accept(first), lane.accept(first), lane.accept(second)]).toEqual([true, false, true]);
    expect([lane.pending, lane.end, lane.lastSeq]).toEqual([[first, second], 2, 2]);
    expect([lane.pendingBytes, lane.totals.bytes]).toEqual([bytesOf(first, second), bytesOf(first, second)]);
  });

  it("keeps no event where nobody is level", () => {
    const lane = laneOf();
    lane.accept(eventOf(1));
    expect([lane.pending.length, lane.pendingBytes, lane.end]).toEqual([0, 0, 1]);
    const member = memberOf("a");
    lane.addLevel(member);
    lane.accept(eventOf(2));
    expect([lane.pending.length, member.laneCursor]).toEqual([1, 1]);
    lane.remove(member);
    expect([lane.pending.length, lane.pendingBytes]).toEqual([0, 0]);
  });

  it("gives each level member one turn a pass, whoever comes and goes meanwhile", () => {
    for (const leaving of ["a", "b", "c", "d"]) {
      const lane = laneOf();
      const members = ["a", "b", "c", "d"].map(memberOf);
      for (const member of members) lane.addLevel(member);
      lane.accept(eventOf(1));
      lane.beginPass();
      const had = [lane.nextUnwritten(), lane.nextUnwritten()];
      const gone = members.find(({ name }) => name === leaving) as Member;
      lane.removeLevel(gone);
      lane.addLevel(memberOf("late"));
      while (lane.unwritten > 0) had.push(lane.nextUnwritten());
      const expected = had.includes(gone) ? members : members.filter((member) => member !== gone);
      expect(names(had).toSorted()).toEqual(names(expected));
      expect(names(lane.level).toSorted()).toEqual([...names(members.filter((member) => member !== gone)), "late"]);
      expect(lane.level.map(({ laneSlot }) => laneSlot)).toEqual([0, 1, 2, 3]);
    }
  });

  it("lets go at the end of a pass of what had come when it began, and times it", () => {
    const lane = laneOf();
    const member = memberOf("a");
    lane.addLevel(member);
    const [first, second, third] = [eventOf(3, 10), eventOf(5, 12), eventOf(6, 19)];
    lane.accept(first);
    lane.accept(second);
    lane.beginPass();
    lane.accept(third);
    expect(lane.pendingFrom(1)).toEqual([second, third]);
    expect(lane.bytesBefore(1)).toBe(bytesOf(first));
    expect(lane.endPass(20), "one more came").toBe(true);
    expect([lane.pending, lane.pendingBytes]).toEqual([[third], bytesOf(third)]);
    expect(lane.totals).toMatchObject({ events: 3, timed: 2, latencySumMs: 18 });
    lane.beginPass();
    expect(lane.endPass(21)).toBe(false);
    expect([lane.pending.length, lane.pendingBytes, lane.totals.latencySumMs]).toEqual([0, 0, 20]);
  });

  it("goes on when all level members left in the middle of a pass and others came", () => {
    const lane = laneOf();
    const [a, b] = [memberOf("a"), memberOf("b")];
    lane.addLevel(a);
    lane.accept(eventOf(1));
    lane.accept(eventOf(2));
    lane.beginPass();
    lane.removeLevel(a);
    lane.addLevel(b);
    const third = eventOf(3);
    lane.accept(third);
    expect(lane.endPass(1)).toBe(true);
    expect([lane.pendingFrom(b.laneCursor), lane.pendingBytes]).toEqual([[third], bytesOf(third)]);
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

  it("notes no seq while all are level", () => {
    const lane = laneOf();
    lane.addLevel(memberOf("a"));
    lane.accept(eventOf(3));
    lane.accept(eventOf(5));
    expect([lane.end, lane.lastSeq, lane.window.start, lane.window.end]).toEqual([2, 5, 2, 2]);
  });

  it("notes seqs for those behind and parked, and forgets them when all are level or gone", () => {
    for (const [away, back] of [
      ["toBehind", "toLevel"],
      ["toParked", "toLevel"],
      ["toBehind", "remove"],
      ["toParked", "remove"],
    ] as const) {
      const lane = laneOf();
      const member = memberOf("slow");
      lane.accept(eventOf(1));
      lane[away](member);
      for (const seq of [2, 4, 6, 8]) lane.accept(eventOf(seq));
      expect([lane.window.start, lane.window.end, lane.end]).toEqual([1, 5, 5]);
      expect([1, 2, 3, 4].map((ordinal) => lane.window.at(ordinal))).toEqual([2, 4, 6, 8]);
      lane[back](member);
      expect([lane.window.start, lane.window.end]).toEqual([5, 5]);
    }
  });
});
