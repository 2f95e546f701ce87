import { describe, expect, it, vi } from "vitest";
import { HeartbeatManager, type HeartbeatOptions } from "./heartbeat-manager.js";

/** The seed's numbers. */
const defaults = { intervalMs: 30_000, timeoutMs: 10_000, maxMissed: 3 };
const tickMs = 50;

/** A manager on a clock that moves tick by tick, and what it did to each connection and when. */
class Bench {
  nowMs = 5_000_000;
  misses = 0;
  readonly manager: HeartbeatManager;
  readonly pings: { readonly id: string; readonly atMs: number }[] = [];
  readonly timeouts: { readonly id: string; readonly atMs: number }[] = [];
  /** Called at each ping; answers it by itself. */
  answer: (id: string) => void = () => {};
  progress: () => number | undefined = () => undefined;

  constructor(options: Partial<HeartbeatOptions> = {}) {
    const clock = { now: () => this.nowMs, wall: () => 0 };
    this.manager = new HeartbeatManager({ ...defaults, ...options, clock, onMiss: () => (this.misses += 1) });
  }

  connect(id: string): void {
    this.manager.register(id, "alice", {
      sendPing: () => {
        this.pings.push({ id, atMs: this.nowMs });
        this.answer(id);
      },
      timeOut: () => this.timeouts.push({ id, atMs: this.nowMs }),
      backlogProgress: () => this.progress(),
    });
  }

  /** Lets time pass to the first ping; its time. */
  passToPing(): number {
    while (this.pings.length === 0) this.pass(tickMs);
    return this.nowMs;
  }

  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += tickMs;
      this.manager.tick();
    }
  }
}

describe("HeartbeatManager", () => {
  it("finds a dead peer 70 s after the first ping that it didn't answer", () => {
    const bench = new Bench();
    bench.connect("dead");
    bench.pass(130_000);
    const first = bench.pings[0]?.atMs as number;
    expect(bench.timeouts).toEqual([{ id: "dead", atMs: expect.any(Number) as number }]);
    const tookMs = (bench.timeouts[0]?.atMs as number) - first;
    expect(tookMs).toBeGreaterThanOrEqual(70_000);
    expect(tookMs).toBeLessThanOrEqual(70_000 + 3 * tickMs);
    expect(bench.pings).toHaveLength(3);
    expect(bench.misses).toBe(3);
  });

  it("counts a pong as missed at its deadline and not at the next ping", () => {
    const bench = new Bench();
    bench.connect("a");
    bench.passToPing();
    bench.pass(defaults.timeoutMs - tickMs);
    expect(bench.manager.getConnectionState("a")).toMatchObject({ missedPongs: 0 });
    bench.pass(2 * tickMs);
    expect(bench.manager.getConnectionState("a")).toMatchObject({ missedPongs: 1, isAlive: true });
    expect(bench.pings).toHaveLength(1);
  });

  it("keeps whoever answers, and pings it every interval", () => {
    const bench = new Bench();
    bench.answer = (id) => bench.manager.handlePong(id);
    bench.connect("a");
    bench.pass(300_000);
    expect(bench.timeouts).toEqual([]);
    expect(bench.misses).toBe(0);
    expect(bench.pings).toHaveLength(10);
    const gaps = bench.pings.slice(1).map(({ atMs }, index) => atMs - (bench.pings[index]?.atMs as number));
    for (const gap of gaps) expect(Math.abs(gap - 30_000)).toBeLessThanOrEqual(tickMs);
  });

  it("forgets missed pongs at any pong, also one that comes late", () => {
    const bench = new Bench();
    bench.connect("a");
    for (let round = 0; round < 5; round += 1) {
      bench.pass(60_000);
      bench.manager.handlePong("a");
      expect(bench.manager.getConnectionState("a")).toMatchObject({ missedPongs: 0, lastPongReceivedMs: bench.nowMs });
    }
    expect(bench.misses).toBeGreaterThan(3);
    expect(bench.timeouts).toEqual([]);
  });

  it.each([1, 2, 5])("closes after max_missed = %s and no sooner", (maxMissed) => {
    const bench = new Bench({ maxMissed });
    bench.connect("a");
    const dueMs = bench.passToPing() + (maxMissed - 1) * 30_000 + 10_000;
    bench.pass(dueMs - tickMs - bench.nowMs);
    expect(bench.timeouts).toEqual([]);
    bench.pass(4 * tickMs);
    expect(bench.timeouts).toHaveLength(1);
  });

  it("spreads 9,000 connections of one moment over the interval, but for its first second", () => {
    const bench = new Bench();
    bench.answer = (id) => bench.manager.handlePong(id);
    for (let n = 0; n < 9000; n += 1) bench.connect(`c${n}`);
    bench.pass(30_000);
    expect(bench.pings).toHaveLength(9000);
    const perTick = new Map<number, number>();
    for (const { atMs } of bench.pings) perTick.set(atMs, (perTick.get(atMs) ?? 0) + 1);
    const even = 9000 / (30_000 / tickMs);
    expect(Math.max(...perTick.values())).toBeLessThanOrEqual(2 * even);
    expect(perTick.size).toBeGreaterThan((29_000 / tickMs) * 0.99);
    const toSubscribeMs = Math.min(...perTick.keys()) - (bench.nowMs - 30_000);
    expect(toSubscribeMs).toBeGreaterThanOrEqual(1000);
  });

  it("doesn't ping in bursts after the process stood still", () => {
    const bench = new Bench();
    bench.answer = (id) => bench.manager.handlePong(id);
    bench.connect("a");
    bench.nowMs += 600_000;
    bench.manager.tick();
    bench.manager.tick();
    expect(bench.pings.length).toBeLessThanOrEqual(2);
    bench.pass(30_000);
    expect(bench.timeouts).toEqual([]);
  });

  it("doesn't count a miss against a peer whose socket takes bytes, only more slowly than they come", () => {
    const bench = new Bench();
    let drained = 0;
    bench.progress = () => (drained += 1);
    bench.connect("slow");
    bench.pass(300_000);
    expect(bench.misses).toBe(0);
    expect(bench.timeouts).toEqual([]);
  });

  it("counts it where the socket takes nothing any more", () => {
    const bench = new Bench();
    bench.progress = () => 7;
    bench.connect("stuck");
    bench.pass(130_000);
    expect(bench.timeouts).toHaveLength(1);
  });

  it("lets go of a connection that was unregistered, and of one that timed out", () => {
    const bench = new Bench();
    bench.connect("gone");
    const state = bench.manager.getConnectionState("gone");
    bench.manager.unregister("gone");
    bench.manager.unregister("gone");
    bench.connect("dead");
    expect(bench.manager.getActiveConnections()).toMatchObject([
      { connectionId: "dead", userId: "alice", isAlive: true },
    ]);
    bench.pass(130_000);
    expect(bench.pings.filter(({ id }) => id === "gone")).toEqual([]);
    expect(state).toMatchObject({ isAlive: false });
    expect(bench.manager.getActiveConnections()).toEqual([]);
    bench.manager.handlePong("gone");
    expect(bench.manager.getConnectionState("gone")).toBeUndefined();
  });

  it("beats by a timer of its own once started, which stop ends", async () => {
    const clock = { now: () => performance.now(), wall: () => Date.now() };
    const manager = new HeartbeatManager({ intervalMs: 10, timeoutMs: 5, maxMissed: 1, clock });
    const timedOut = new Promise<void>((resolve) => {
      manager.register("a", "alice", { sendPing: () => {}, timeOut: resolve, backlogProgress: () => undefined });
    });
    manager.start();
    manager.start();
    // The manager's own timer doesn't keep a process alive; something else has to, here.
    const alive = setInterval(() => {}, 1000);
    await timedOut;
    clearInterval(alive);
    manager.stop();
    manager.stop();
    expect(manager.getActiveConnections()).toEqual([]);
  });

  it.each([63, 64, 65, 128, 129])("pings %s that are due in one moment 64 at a time, with a turn between", (count) => {
    const turns: (() => void)[] = [];
    const bench = new Bench({ nextTurn: (run) => turns.push(run) });
    for (let n = 0; n < count; n += 1) bench.connect(`c${n}`);
    bench.nowMs += defaults.intervalMs;
    bench.manager.tick();
    for (let sent = 64; sent < count; sent += 64) {
      expect(bench.pings).toHaveLength(sent);
      // Another tick in between neither skips ahead nor begins anew.
      bench.manager.tick();
      expect(bench.pings).toHaveLength(sent);
      expect(turns).toHaveLength(1);
      turns.shift()?.();
    }
    expect(turns).toEqual([]);
    expect(new Set(bench.pings.map(({ id }) => id)).size).toBe(count);
  });

  it("takes up what becomes due while many are pinged, after them, and leaves out who has gone", () => {
    const turns: (() => void)[] = [];
    const bench = new Bench({ nextTurn: (run) => turns.push(run) });
    for (let n = 0; n < 100; n += 1) bench.connect(`early${n}`);
    bench.nowMs += defaults.intervalMs;
    bench.connect("late");
    bench.manager.tick();
    bench.nowMs += defaults.intervalMs;
    bench.manager.unregister("early99");
    bench.manager.tick();
    while (turns.length > 0) turns.shift()?.();
    const early = bench.pings.slice(0, 99).map(({ id }) => id);
    expect(early).not.toContain("late");
    expect(bench.pings.map(({ id }) => id)).toContain("late");
    expect(bench.pings.map(({ id }) => id)).not.toContain("early99");
  });

  it("forgets who was to be pinged when it is stopped", () => {
    const turns: (() => void)[] = [];
    const bench = new Bench({ nextTurn: (run) => turns.push(run) });
    for (let n = 0; n < 65; n += 1) bench.connect(`c${n}`);
    bench.nowMs += defaults.intervalMs;
    bench.manager.tick();
    bench.manager.stop();
    turns.shift()?.();
    expect(bench.pings).toHaveLength(64);
    expect(turns).toEqual([]);
  });

  it("counts a missed pong at its deadline, though pings go once a second", () => {
    vi.useFakeTimers();
    try {
      let missedAtMs: number | undefined;
      let pingedAtMs: number | undefined;
      const clock = { now: () => performance.now(), wall: () => Date.now() };
      const options = { ...defaults, timeoutMs: 1300, clock };
      const manager = new HeartbeatManager({ ...options, onMiss: () => (missedAtMs ??= performance.now()) });
      const sendPing = (): void => void (pingedAtMs ??= performance.now());
      manager.register("a", "alice", { sendPing, timeOut: () => {}, backlogProgress: () => undefined });
      manager.start();
      vi.advanceTimersByTime(defaults.intervalMs + 5000);
      manager.stop();
      const lateMs = (missedAtMs as number) - (pingedAtMs as number) - options.timeoutMs;
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThanOrEqual(30);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
