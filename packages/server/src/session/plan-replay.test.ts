import { describe, expect, it } from "vitest";
import { planReplay } from "./plan-replay.js";

const log = { epoch: "this", head: 100, oldest: 41 };

describe("planReplay", () => {
  it("takes 0 for all that is retained, and misses nothing", () => {
    expect(planReplay(0, undefined, log)).toEqual({ since: 40, lost: undefined });
    expect(planReplay(0, "this", log)).toEqual({ since: 40, lost: undefined });
  });

  it.each([1, 40, 99, 100])("begins after %s, of this epoch or of none", (since) => {
    expect(planReplay(since, "this", log)).toEqual({ since, lost: undefined });
    expect(planReplay(since, undefined, log)).toEqual({ since, lost: undefined });
  });

  const all = { since: 40, lost: { reason: "epoch", fromSeq: 0, toSeq: 40, dropped: null } };
  it.each([
    ["beyond the head", 101, undefined],
    ["beyond the head of this epoch", 101, "this"],
    ["of another epoch", 50, "other"],
    ["of another epoch and 0", 0, "other"],
  ])("answers a position %s with a gap and everything", (_what, since, epoch) => {
    expect(planReplay(since, epoch, log)).toEqual(all);
  });

  it("works on an empty log", () => {
    const empty = { epoch: "this", head: 0, oldest: 1 };
    expect(planReplay(0, undefined, empty)).toEqual({ since: 0, lost: undefined });
    expect(planReplay(1, undefined, empty)).toMatchObject({ since: 0, lost: { reason: "epoch" } });
  });
});
