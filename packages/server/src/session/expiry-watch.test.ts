import { describe, expect, it } from "vitest";
import { expiryNoticeMs, ExpiryWatch, type ExpiryHandle } from "./expiry-watch.js";

const tickMs = 50;
/** Between two looks of the watch. */
const lookMs = 1000;

class Bench {
  nowMs = 1_000_000;
  wallMs = 1_800_000_000_000;
  readonly said: string[] = [];
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly watch = new ExpiryWatch({ now: () => this.nowMs, wall: () => this.wallMs }, (run, ms) => {
    this.#timers.push({ atMs: this.nowMs + ms, run });
  });

  begin(leftMs: number): ExpiryHandle {
    const expiresAtMs = this.wallMs + leftMs;
    return this.watch.watch({
      expiresAtMs,
      notice: () => this.said.push("notice"),
      expire: () => this.said.push("expire"),
    });
  }

  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += tickMs;
      this.wallMs += tickMs;
      if (this.nowMs % lookMs === 0) this.watch.tick();
      const due = this.#timers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { run } of due) run();
    }
  }
}

describe("ExpiryWatch", () => {
  it("tells of an expiry a minute before it, then of the expiry", () => {
    const bench = new Bench();
    bench.begin(100_000);
    bench.pass(100_000 - expiryNoticeMs - tickMs);
    expect(bench.said).toEqual([]);
    bench.pass(2 * tickMs);
    expect(bench.said).toEqual(["notice"]);
    bench.pass(expiryNoticeMs - 3 * tickMs);
    expect(bench.said).toEqual(["notice"]);
    bench.pass(4 * tickMs);
    expect(bench.said).toEqual(["notice", "expire"]);
    bench.pass(200_000);
    expect(bench.said).toEqual(["notice", "expire"]);
  });

  it.each([1, 1000, expiryNoticeMs])("tells at once where %s ms are left", (leftMs) => {
    const bench = new Bench();
    bench.begin(leftMs);
    expect(bench.said).toEqual(["notice"]);
    bench.pass(leftMs + 2 * tickMs);
    expect(bench.said).toEqual(["notice", "expire"]);
  });

  it.each([0, -1000])("ends at once what has %s ms left", (leftMs) => {
    const bench = new Bench();
    expect(bench.begin(leftMs).isOver).toBe(true);
    expect(bench.said).toEqual(["expire"]);
  });

  it("says nothing of a watch that is over", () => {
    const bench = new Bench();
    bench.begin(90_000).isOver = true;
    bench.pass(200_000);
    expect(bench.said).toEqual([]);
  });

  it("goes by the wall clock, also where that is stepped forward by an hour", () => {
    const bench = new Bench();
    bench.begin(1_800_000);
    bench.pass(1000);
    bench.wallMs += 3_600_000;
    bench.pass(31_000);
    expect(bench.said).toEqual(["expire"]);
  });

  it("goes by the wall clock, also where that is stepped back by an hour", () => {
    const bench = new Bench();
    bench.begin(90_000);
    bench.pass(1000);
    bench.wallMs -= 3_600_000;
    bench.pass(3_500_000);
    expect(bench.said).toEqual([]);
    bench.pass(190_000);
    expect(bench.said).toEqual(["notice", "expire"]);
  });

  it("looks at all anew when the wall clock was stepped, however little their time has come", () => {
    const bench = new Bench();
    for (const leftMs of [7_200_000, 3_660_001]) bench.begin(leftMs);
    bench.pass(1000);
    bench.wallMs += 3_600_000;
    bench.pass(1000);
    expect(bench.said).toEqual(["notice"]);
  });

  it("is in time to a tick where the wall clock is slewed all the while", () => {
    const bench = new Bench();
    const handle = bench.begin(1_000_000);
    while (bench.said.length < 2) {
      bench.pass(1000);
      bench.wallMs += 1;
    }
    expect(bench.said).toEqual(["notice", "expire"]);
    expect(bench.wallMs - handle.expiresAtMs).toBeLessThanOrEqual(1001);
  });

  it("takes an expiry in the year 9999", () => {
    const bench = new Bench();
    bench.begin(Date.UTC(9999, 11, 31) - bench.wallMs);
    bench.pass(120_000);
    expect(bench.said).toEqual([]);
  });

  it("looks by a timer of its own once started, which stop ends", async () => {
    const watch = new ExpiryWatch({ now: () => performance.now(), wall: () => Date.now() });
    const expiresAtMs = Date.now() + 20;
    const expired = new Promise<void>((resolve) => {
      watch.watch({ expiresAtMs, notice: () => {}, expire: resolve });
    });
    watch.start();
    watch.start();
    const alive = setInterval(() => {}, 1000);
    await expired;
    clearInterval(alive);
    watch.stop();
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAtMs);
  });
});
