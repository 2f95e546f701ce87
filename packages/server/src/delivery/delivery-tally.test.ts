import { describe, expect, it } from "vitest";
import { draftOf } from "../log/contract/log-under-test.js";
import { SharedEvent } from "../routing/shared-event.js";
import { DeliveryTally } from "./delivery-tally.js";

const eventOf = (seq: number, durableAtMs: number): SharedEvent =>
  new SharedEvent({ ...draftOf(seq), seq, appendedAtMs: 0 }, durableAtMs);

const observed = ({ latencyS }: DeliveryTally): number => latencyS.counts.reduce((sum, count) => sum + count, 0);

describe("DeliveryTally", () => {
  it("counts a flush for each member that got it", () => {
    const tally = new DeliveryTally();
    tally.countWrites([eventOf(1, 90), eventOf(2, 99)], 50, 3, 100);
    expect([tally.delivered, tally.bytesOut, tally.writes]).toEqual([6, 150, 3]);
    expect(observed(tally)).toBe(6);
    expect(tally.latencyS.sum).toBeCloseTo(0.033);
  });

  it("counts nothing for a lane whose members are all behind", () => {
    const tally = new DeliveryTally();
    tally.countWrites([eventOf(1, 90)], 50, 0, 100);
    expect([tally.delivered, tally.bytesOut, tally.writes, observed(tally)]).toEqual([0, 0, 0, 0]);
  });
});
