import { EventEmitter } from "node:events";
import type { Worker } from "node:cluster";
import { deserialize, serialize } from "node:v8";
import type { Logger, MetricsReading } from "@sluice/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeLogDirectory, openLogIn } from "../log/contract/log-directory.js";
import { draftsOf, range, seqsOf } from "../log/contract/log-under-test.js";
import type { EventLog } from "../log/event-log.js";
import type { FollowerLog } from "../log/follower-log.js";
import type { Elsewhere } from "./connection-counts.js";
import { Fleet } from "./fleet.js";
import { Member, type MemberOrders } from "./member.js";
import type { Tickets } from "./shared-tickets.js";

const clock = { now: () => performance.now(), wall: () => Date.now() };

/** What a worker process is to each side: messages arrive as copies in a later turn, as over IPC. */
class Process extends EventEmitter {
  readonly member: Member;
  readonly process = { kill: () => this.end("SIGKILL") };
  readonly told: EventEmitter = new EventEmitter();
  readonly orders: { drained: number };
  log: FollowerLog | undefined;
  hasEnded = false;

  constructor() {
    super();
    this.orders = { drained: 0 };
    this.member = new Member(
      {
        send: (message) => this.#later(message, (copy) => this.emit("message", copy)),
        onMessage: (listener) => this.told.on("message", listener),
        onClose: (listener) => this.once("exit", listener),
      },
      () => this.end(null),
    );
  }

  isConnected(): boolean {
    return !this.hasEnded;
  }

  send(message: object): boolean {
    this.#later(message, (copy) => this.told.emit("message", copy));
    return true;
  }

  #later(message: object, deliver: (copy: unknown) => void): void {
    const copy: unknown = deserialize(serialize(message));
    setImmediate(() => {
      if (!this.hasEnded) deliver(copy);
    });
  }

  end(signal: string | null): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    void this.log?.close();
    this.emit("exit", signal === null ? 0 : null, signal);
  }
}

interface WorkerUnderTest {
  readonly process: Process;
  readonly log: FollowerLog;
  readonly tickets: Tickets;
  readonly elsewhere: Elsewhere;
  readonly seqs: number[];
}

describe("workers and the process that writes their log", () => {
  const workers: WorkerUnderTest[] = [];
  const errors: unknown[] = [];
  /** Whether a worker that is started ends before it listens. */
  let endsEarly = false;
  /** Whether a worker leaves when it is asked to. */
  let leaves = true;
  let dir: string;
  let log: EventLog;
  let fleet: Fleet;

  const fork = (): Worker => {
    const worker = new Process();
    if (endsEarly) setImmediate(() => worker.end("SIGSEGV"));
    else setImmediate(() => begin(worker));
    return worker as unknown as Worker;
  };
  const begin = (worker: Process): void => {
    const opened = worker.member.openLog({ dir, onError: (error) => errors.push(error), onLost: () => {} });
    worker.log = opened;
    const seqs: number[] = [];
    opened.follow((records) => seqs.push(...seqsOf(records)));
    const { bus, elsewhere } = worker.member;
    const tickets = worker.member.ticketsOf({ ttlMs: 60_000, clock });
    const index = workers.length;
    bus.answer("who", () => [index]);
    workers.push({ process: worker, log: opened, tickets, elsewhere, seqs });
    const orders: MemberOrders = {
      readMetrics: async () => [{ name: `worker_${index}` }] as unknown as MetricsReading,
      drain: () => {
        worker.orders.drained += 1;
        if (leaves) worker.member.leave(Promise.resolve());
      },
    };
    worker.member.begin(orders, { url: "http://127.0.0.1:1", opsUrl: "http://127.0.0.1:2" });
  };
  const turns = async (count = 10): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const at = (index: number): WorkerUnderTest => workers[index] as WorkerUnderTest;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    workers.splice(0);
    errors.splice(0);
    [endsEarly, leaves] = [false, true];
    dir = await makeLogDirectory();
    log = await openLogIn(dir);
    const logger = { error: (fields: unknown) => errors.push(fields) } as unknown as Logger;
    const readMetrics = async () => [{ name: "writer" }] as unknown as MetricsReading;
    fleet = new Fleet({ workers: 2, log, logger, fork, readMetrics });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await fleet.kill();
  });

  it("listen all in the same place, have one log, and all follow it, whoever appended", async () => {
    expect(await fleet.start()).toEqual({ url: "http://127.0.0.1:1", opsUrl: "http://127.0.0.1:2" });
    const results = await Promise.all(range(0, 9).map((n) => at(n % 2).log.append(draftsOf(n * 10, 10))));
    expect(results.map(({ lastSeq }) => lastSeq).toSorted((a, b) => a - b)).toEqual(range(1, 10).map((n) => n * 10));
    await Promise.all(workers.map((worker) => worker.log.catchUp()));
    for (const { seqs } of workers) expect(seqs).toEqual(range(1, 100));
    expect(at(0).log.stats()).toMatchObject({ events: 100, state: "open" });
  });

  it("have a refusal of the log brought to whoever asked, with its code", async () => {
    await fleet.start();
    await log.close();
    await expect(at(0).log.append(draftsOf(1, 1))).rejects.toMatchObject({ code: "LOG_CLOSED" });
    await turns();
    expect(at(1).log.stats().state).toBe("closed");
  });

  it("are asked as one, and counted as one", async () => {
    await fleet.start();
    const { answers, silent } = await at(1).process.member.bus.ask("who", null);
    expect([answers.flatMap(({ items }) => items), silent]).toEqual([[1, 0], []]);
    const metrics = (await at(0).process.member.metrics()) as unknown as { name: string }[][];
    expect(metrics.flat().map(({ name }) => name)).toEqual(["worker_0", "worker_1", "writer"]);
  });

  it("take each other's tickets, once", async () => {
    await fleet.start();
    const identity = { userId: "alice" } as never;
    const issued = at(0).tickets.issue(identity);
    if (!("ticket" in issued)) throw new Error("no ticket was issued");
    const { ticket } = issued as { ticket: string };
    expect(await at(1).tickets.redeem(ticket)).toMatchObject({ ok: true });
    expect(await at(0).tickets.redeem(ticket)).toMatchObject({ ok: false });
    expect(await at(1).tickets.redeem("no such ticket")).toMatchObject({ ok: false, reason: "ticket_unknown" });
  });

  it("know of each other's connections, also one that comes later, and not of those of one that went", async () => {
    await fleet.start();
    at(0).elsewhere.onChange({ of: "address", key: "192.0.2.1", change: 1 });
    at(0).elsewhere.onChange({ of: "address", key: "192.0.2.1", change: 1 });
    at(1).elsewhere.onChange({ of: "user", key: "bob", change: 1 });
    await turns();
    expect(at(1).elsewhere.counts.get("address", "192.0.2.1")).toBe(2);
    expect(at(0).elsewhere.counts.get("user", "bob")).toBe(1);

    at(0).process.end("SIGKILL");
    expect(errors).toEqual([{ how: "SIGKILL", restart_ms: 250 }]);
    await turns();
    expect(at(1).elsewhere.counts.get("address", "192.0.2.1")).toBe(0);
    vi.advanceTimersByTime(249);
    await turns();
    expect(workers.length).toBe(2);
    vi.advanceTimersByTime(1);
    await turns();
    expect(workers.length).toBe(3);
    expect(at(2).elsewhere.counts.get("user", "bob")).toBe(1);
    expect(at(2).elsewhere.counts.total).toBe(0);
  });

  it("are started anew more and more slowly where they keep ending", async () => {
    await fleet.start();
    endsEarly = true;
    at(0).process.end(null);
    for (const ms of [250, 500, 1000]) {
      vi.advanceTimersByTime(ms);
      await turns();
    }
    expect(errors).toEqual([
      { how: 0, restart_ms: 250 },
      { how: "SIGSEGV", restart_ms: 500 },
      { how: "SIGSEGV", restart_ms: 1000 },
      { how: "SIGSEGV", restart_ms: 2000 },
    ]);
  });

  it("are all ended where one can't be started", async () => {
    endsEarly = true;
    await expect(fleet.start()).rejects.toThrow("a worker ended with SIGSEGV before it listened");
    expect(errors).toEqual([]);
  });

  it("are drained together, and one that doesn't go is cut off 5 s after its time", async () => {
    await fleet.start();
    leaves = false;
    let isOver = false;
    const drained = fleet.drain(1000).then(() => {
      isOver = true;
    });
    await turns();
    expect(workers.map(({ process }) => process.orders.drained)).toEqual([1, 1]);
    at(0).process.member.leave(Promise.resolve());
    vi.advanceTimersByTime(5999);
    await turns();
    expect(isOver).toBe(false);
    vi.advanceTimersByTime(1);
    await drained;
    expect(workers.every(({ process }) => process.hasEnded)).toBe(true);
    expect(errors).toEqual([]);
  });
});
