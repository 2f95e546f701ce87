import { beforeEach, describe, expect, it } from "vitest";
import { CatchUpPace } from "./catch-up-pace.js";

/** Time as an event loop spends it. */
class Loop {
  now = 1_000_000;
  idle = 0;
  live = 0;
  /** Of those who catch up. */
  own = 0;

  rest(ms: number): void {
    this.now += ms;
    this.idle += ms;
  }

  deliver(ms: number): void {
    this.now += ms;
    this.live += ms;
  }

  /** Something else, that is neither of the two. */
  work(ms: number): void {
    this.now += ms;
  }
}

let loop: Loop;
let pace: CatchUpPace;

beforeEach(() => {
  loop = new Loop();
  pace = new CatchUpPace({
    clock: { now: () => loop.now, wall: () => 0 },
    idleMs: () => loop.idle,
    liveMs: () => loop.live,
  });
});

function takeTurn(ms = 0.25): boolean {
  if (!pace.mayBegin()) return false;
  loop.now += ms;
  loop.own += ms;
  pace.spend(ms);
  return true;
}

/** Live events every 10 ms that take `liveMs` each, for a second; turns in what is left. Returns their share of time. */
function shareBeside(liveMs: number, turnMs = 0.25): number {
  const startMs = loop.now;
  const ownMs = loop.own;
  for (let event = 0; event < 100; event += 1) {
    loop.deliver(liveMs);
    const nextMs = startMs + (event + 1) * 10;
    while (loop.now < nextMs) if (!takeTurn(turnMs)) loop.rest(Math.min(1, nextMs - loop.now));
  }
  return (loop.own - ownMs) / (loop.now - startMs);
}

describe("CatchUpPace", () => {
  it("lets nobody wait while there is no live delivery, whatever else there is", () => {
    for (let turn = 0; turn < 1000; turn += 1) {
      expect([takeTurn(1), pace.isQuiet]).toEqual([true, true]);
      loop.work(0.2);
    }
  });

  it.each([
    [0.5, 0.65, 0.8],
    [3, 0.45, 0.6],
    [7, 0.18, 0.28],
    [9, 0.06, 0.12],
  ])("beside live delivery of %d ms in 10 takes three quarters of what that leaves", (liveMs, least, most) => {
    shareBeside(liveMs);
    const share = shareBeside(liveMs);
    expect(share).toBeGreaterThan(least);
    expect(share).toBeLessThan(most);
    expect(pace.isQuiet).toBe(false);
  });

  it("leaves a tenth of the time to those who catch up where live delivery takes all", () => {
    for (let round = 0; round < 4000; round += 1) {
      loop.deliver(1);
      takeTurn();
    }
    expect(loop.own / loop.live).toBeGreaterThan(0.09);
    expect(loop.own / loop.live).toBeLessThan(0.12);
  });

  it("waits while the loop is not at rest, and goes on when it was", () => {
    loop.deliver(50);
    while (takeTurn());
    pace.spend(1);
    for (let look = 0; look < 5; look += 1) {
      loop.work(0.1);
      expect(pace.mayBegin()).toBe(false);
    }
    loop.rest(1);
    expect(takeTurn(3)).toBe(true);
    expect(pace.mayBegin(), "it was spent").toBe(false);
  });

  it("saves up little, and owes little after a turn that took far too long", () => {
    loop.deliver(50);
    loop.rest(10);
    let turns = 0;
    while (takeTurn()) turns += 1;
    expect(turns).toBeLessThanOrEqual(20);
    pace.spend(500);
    loop.deliver(20);
    loop.rest(1.4);
    expect(pace.mayBegin()).toBe(true);
  });

  it("forgets live delivery within a second", () => {
    loop.deliver(100);
    pace.mayBegin();
    expect(pace.isQuiet).toBe(false);
    loop.rest(1000);
    pace.mayBegin();
    expect(pace.isQuiet).toBe(true);
  });
});
