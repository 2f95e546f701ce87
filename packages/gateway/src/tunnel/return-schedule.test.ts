import { describe, expect, it } from "vitest";
import { ReturnSchedule } from "./return-schedule.js";

function scheduleOf(perSecond: number) {
  const time = { ms: 5_000 };
  const clock = { now: () => time.ms, wall: () => 0 };
  return { time, schedule: new ReturnSchedule({ perSecond, clock, random: () => 0.5 }) };
}

describe("ReturnSchedule", () => {
  it("asks one client to wait no longer than must be, and many one after the other", () => {
    const { schedule } = scheduleOf(100);
    expect(Array.from({ length: 4 }, () => schedule.next(250))).toEqual([250, 260, 270, 280]);
  });

  it("sends those who come in vain behind those who are still away", () => {
    const { schedule, time } = scheduleOf(100);
    for (let client = 0; client < 500; client += 1) schedule.next(250);
    time.ms += 300;
    expect([schedule.next(1_000), schedule.next(1_000)]).toEqual([4_950, 4_960]);
  });

  it("forgets a crowd that is long back", () => {
    const { schedule, time } = scheduleOf(100);
    for (let client = 0; client < 500; client += 1) schedule.next(250);
    time.ms += 60_000;
    expect(schedule.next(250)).toBe(250);
  });

  it.each([
    [1_998, 20_000],
    [1_999, 10_010],
  ])("after %i others asks for %i ms: chance decides past 20 s", (others, wait) => {
    const { schedule } = scheduleOf(100);
    for (let client = 0; client < others; client += 1) schedule.next(20);
    expect(schedule.next(20)).toBe(wait);
  });

  it("goes by a rate that has changed", () => {
    const { schedule } = scheduleOf(100);
    schedule.next(250);
    schedule.perSecond = 10;
    expect(schedule.next(250)).toBe(350);
  });

  it("goes at the pace at which backends take clients once one waited in vain, for 10 s", () => {
    const { schedule, time } = scheduleOf(1_000);
    for (let client = 0; client < 100; client += 1) schedule.opened();
    time.ms += 1_000;
    for (let client = 0; client < 40; client += 1) schedule.opened();
    expect([schedule.next(250), schedule.next(250)]).toEqual([250, 251]);
    schedule.crowded();
    expect([schedule.next(250), schedule.next(250)]).toEqual([261, 271]);
    time.ms += 10_000;
    expect([schedule.next(250), schedule.next(250)]).toEqual([250, 251]);
  });

  it("does not stop where nothing was taken, nor go faster than it may", () => {
    const { schedule } = scheduleOf(1_000);
    schedule.crowded();
    expect([schedule.next(0), schedule.next(0)]).toEqual([0, 20]);
    const slow = scheduleOf(10).schedule;
    slow.crowded();
    expect([slow.next(0), slow.next(0)]).toEqual([0, 100]);
  });

  it("tells it in a frame that stands by itself", () => {
    const { schedule } = scheduleOf(1);
    const frame = schedule.nextFrame(999_999_999);
    expect([frame[0], frame[1]]).toEqual([0x81, frame.length - 2]);
    expect(JSON.parse(frame.toString("utf8", 2))).toMatchObject({ type: "disconnect", reason: "backend_unavailable" });
  });
});
