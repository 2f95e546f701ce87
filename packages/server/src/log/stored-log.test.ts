import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { draftOf, draftsOf, logOptionsOf, ManualClock, range, readAll, seqsOf } from "./contract/log-under-test.js";
import { LogError } from "./event-log.js";
import type { LogOptions } from "./log-options.js";
import { MemoryStore } from "./memory-store.js";
import { PackedRecord } from "./packed-event.js";
import { StoredLog } from "./stored-log.js";

/** A store whose next writes and sweeps fail as told. */
class FailingStore extends MemoryStore {
  readonly failures: LogError[] = [];
  override hasGarbage = false;
  sweeps = 0;
  retainError: Error | undefined;

  override async write(records: readonly PackedRecord[]): Promise<number> {
    await nextTurn();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    return super.write(records);
  }

  override async sweep(): Promise<void> {
    this.sweeps += 1;
    await nextTurn();
    this.hasGarbage = false;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }

  override retain(nowMs: number): boolean {
    if (this.retainError !== undefined) throw this.retainError;
    return super.retain(nowMs);
  }
}

const full = (): LogError => new LogError("LOG_FULL", "no room");
const failed = (): LogError => new LogError("LOG_FAILED", "refused");

const open = (over: Partial<LogOptions> = {}): { log: StoredLog; store: FailingStore; errors: Error[] } => {
  const errors: Error[] = [];
  const options = logOptionsOf({ onError: (error) => errors.push(error), ...over });
  const store = new FailingStore(options.retention);
  return { log: new StoredLog(store, options), store, errors };
};

afterEach(() => {
  vi.useRealTimers();
});

describe("StoredLog over a disk that is full", () => {
  it("refuses the whole group, forgets its seqs and ids, and takes appends again when there is room", async () => {
    const { log, store } = open();
    await log.append(draftsOf(1, 2));
    store.failures.push(full());
    const told: number[] = [];
    log.follow((records) => told.push(...seqsOf(records)));
    const settled = await Promise.allSettled([log.append(draftsOf(3, 2)), log.append([draftOf(4), draftOf(5)])]);
    expect(settled).toMatchObject([{ reason: { code: "LOG_FULL" } }, { reason: { code: "LOG_FULL" } }]);
    expect([log.head, log.stats().state]).toEqual([2, "full"]);
    expect(told).toEqual([]);
    expect(seqsOf(await readAll(log))).toEqual([1, 2]);
    expect(await log.append([draftOf(4)])).toEqual({ firstSeq: 3, lastSeq: 3, duplicates: 0 });
    expect(log.stats()).toMatchObject({ state: "open", commits: 2 });
    expect(told).toEqual([3]);
  });

  it("stays full until a commit succeeds", async () => {
    const { log, store } = open();
    store.failures.push(full(), full());
    await expect(log.append([draftOf(1)])).rejects.toMatchObject({ code: "LOG_FULL" });
    await expect(log.append([draftOf(1)])).rejects.toMatchObject({ code: "LOG_FULL" });
    expect(log.stats().state).toBe("full");
    await log.append([draftOf(1)]);
    expect(log.stats().state).toBe("open");
  });

  it("lets an append stand whose events were durable before", async () => {
    const { log, store } = open();
    await log.append(draftsOf(1, 3));
    store.failures.push(full());
    const settled = await Promise.allSettled([
      log.append([draftOf(4)]),
      log.append([draftOf(2), draftOf(3)]),
      log.append([draftOf(1), draftOf(4)]),
    ]);
    expect(settled).toMatchObject([
      { reason: { code: "LOG_FULL" } },
      { value: { firstSeq: 2, lastSeq: 3, duplicates: 2 } },
      { reason: { code: "LOG_FULL" } },
    ]);
  });
});

describe("StoredLog over a disk that fails", () => {
  it("acknowledges nothing more, reads on, and closes", async () => {
    const { log, store } = open();
    await log.append(draftsOf(1, 2));
    store.failures.push(failed());
    const group = log.append([draftOf(3)]);
    await nextTurn();
    const waiting = log.append([draftOf(4)]);
    await expect(group).rejects.toMatchObject({ code: "LOG_FAILED" });
    await expect(waiting).rejects.toMatchObject({ code: "LOG_FAILED" });
    await expect(log.append([draftOf(5)])).rejects.toMatchObject({ code: "LOG_FAILED" });
    expect(log.stats()).toMatchObject({ state: "failed", events: 2 });
    expect(seqsOf(await readAll(log))).toEqual([1, 2]);
    await log.close();
    expect(log.stats().state).toBe("closed");
  });

  it("fails too when it was retention that wrote, and says so", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { log, store, errors } = open({ retentionIntervalMs: 10 });
    store.hasGarbage = true;
    store.failures.push(failed());
    vi.advanceTimersByTime(10);
    await vi.waitFor(() => expect(log.stats().state).toBe("failed"));
    expect(errors.map((error) => error.cause)).toMatchObject([{ code: "LOG_FAILED" }]);
    store.hasGarbage = true;
    vi.advanceTimersByTime(50);
    await log.close();
    expect(store.sweeps).toBe(1);
  });
});

describe("StoredLog's retention", () => {
  it("sweeps an idle log on the timer only, and tries a full disk again later", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { log, store, errors } = open({ retentionIntervalMs: 10 });
    store.hasGarbage = true;
    await log.append([draftOf(1)]);
    expect(store.sweeps).toBe(0);
    store.failures.push(full());
    vi.advanceTimersByTime(10);
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(log.stats().state).toBe("open");
    store.hasGarbage = true;
    vi.advanceTimersByTime(10);
    await vi.waitFor(() => expect(store.sweeps).toBe(2));
    await log.close();
  });

  it("reports what it cannot read, and harms no append", async () => {
    const { log, store, errors } = open();
    store.retainError = new LogError("LOG_DAMAGED", "a block");
    await log.append([draftOf(1)]);
    expect(log.head).toBe(1);
    expect(errors.map((error) => error.cause)).toEqual([store.retainError]);
  });
});

describe("StoredLog's commits", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("wait 2 ms for more where the last one was for several, and for nobody where it was for one", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { log } = open();
    await log.append([draftOf(1)]);
    await log.append([draftOf(2)]);
    expect(log.stats().commits, "one by one").toBe(2);
    await Promise.all([log.append([draftOf(3)]), log.append([draftOf(4)])]);
    expect(log.stats().commits).toBe(3);
    const later = [log.append([draftOf(5)])];
    await nextTurn();
    later.push(log.append([draftOf(6)]));
    await vi.advanceTimersByTimeAsync(1);
    await nextTurn();
    expect(log.stats().commits).toBe(3);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all(later);
    expect(log.stats().commits).toBe(4);
    await log.close();
  });
});

describe("StoredLog's dedup over a restart", () => {
  it("ages remembered ids by the wall clock until now, and by the monotonic one from now on", async () => {
    const clock = new ManualClock();
    const options = logOptionsOf({ clock, dedup: { windowMs: 1000, maxIds: 100 } });
    const store = new MemoryStore(options.retention);
    await store.write(range(1, 2).map((seq) => PackedRecord.of({ ...draftOf(seq), seq, appendedAtMs: clock.wall() })));
    const remembered = [
      { ids: ["event-1"], firstSeq: 1, appendedAtMs: clock.wall() - 900 },
      { ids: ["event-2"], firstSeq: 2, appendedAtMs: clock.wall() - 100 },
    ];
    const log = new StoredLog(store, options, remembered);
    clock.advance(99);
    expect(await log.append([draftOf(1)])).toMatchObject({ duplicates: 1 });
    clock.advance(1);
    expect(await log.append([draftOf(1), draftOf(2)])).toEqual({ firstSeq: 2, lastSeq: 3, duplicates: 1 });
    await log.close();
  });
});

describe("StoredLog whose appends come one after the other", () => {
  it("commits together what comes until the event loop has looked at all sockets", async () => {
    const { log } = open();
    const appends = [log.append(draftsOf(1, 1))];
    for (const seq of [2, 3]) {
      // Longer than the microtasks that one request takes.
      for (let microtask = 0; microtask < 20; microtask += 1) await Promise.resolve();
      appends.push(log.append(draftsOf(seq, 1)));
    }
    expect((await Promise.all(appends)).map(({ firstSeq }) => firstSeq)).toEqual([1, 2, 3]);
    expect(log.stats().commits).toBe(1);
    await log.close();
  });
});
