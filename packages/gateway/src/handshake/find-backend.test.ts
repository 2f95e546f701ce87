import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BackendPool } from "../backends/backend-pool.js";
import { GatewayTally } from "../gateway-tally.js";
import type { DialOutcome } from "./dial-backend.js";
import { findBackend, type FoundBackend } from "./find-backend.js";
import { HandshakeDeadline } from "./handshake-deadline.js";

const handshakeMs = 1_000;
const clock = { now: () => 0, wall: () => 0 };
const refused: DialOutcome = { kind: "refused", status: 403 };
const late: DialOutcome = { kind: "failed", failure: "timeout" };

/** A gateway before one backend that deals with one handshake at once, and answers when told to. */
class Door {
  readonly pool = new BackendPool(clock);
  readonly tally = new GatewayTally();
  readonly returns = { opened: vi.fn<() => void>(), crowded: vi.fn<() => void>() };
  readonly answers: ((outcome: DialOutcome) => void)[] = [];
  readonly onBackendFailure = (): void => {};
  readonly clock = clock;

  constructor() {
    this.pool.setList(["http://a:1/"]);
  }

  get backend() {
    return this.pool.backends[0] as BackendPool["backends"][0];
  }

  come(): Promise<FoundBackend> {
    const deadline = new HandshakeDeadline(handshakeMs);
    return findBackend(this, {
      dial: () => new Promise((resolve) => this.answers.push(resolve)),
      dialsAtOnceMax: 1,
      deadline,
      isWanted: () => !deadline.isPast,
    });
  }
}

describe("findBackend", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("dials for the next when the one before has its answer", async () => {
    const door = new Door();
    const both = [door.come(), door.come()];
    await vi.advanceTimersByTimeAsync(handshakeMs / 2 - 1);
    expect(door.answers.length).toBe(1);
    door.answers[0]?.(refused);
    await vi.advanceTimersByTimeAsync(0);
    expect(door.answers.length).toBe(2);
    door.answers[1]?.(refused);
    expect(await Promise.all(both)).toEqual([refused, refused]);
    expect([door.backend.connections, door.returns.crowded.mock.calls.length]).toEqual([0, 0]);
  });

  it("gives up waiting for a turn after half of the handshake's time, and says that it is crowded", async () => {
    const door = new Door();
    void door.come();
    const second = door.come();
    await vi.advanceTimersByTimeAsync(handshakeMs / 2);
    expect(await second).toEqual({ kind: "none" });
    expect([door.answers.length, door.returns.crowded.mock.calls.length]).toEqual([1, 1]);
    expect([door.backend.turns.waiting, door.backend.isEjected(0)]).toEqual([0, false]);
  });

  it("takes a dial out of time for the backend's fault only when it had all the time", async () => {
    const door = new Door();
    const both = [door.come(), door.come()];
    door.answers[0]?.(refused);
    await vi.advanceTimersByTimeAsync(0);
    door.answers[1]?.(late);
    await Promise.all(both);
    expect(door.backend.isEjected(0)).toBe(false);
    const third = door.come();
    door.answers[2]?.(late);
    expect(await third).toEqual({ kind: "none" });
    expect(door.backend.isEjected(0)).toBe(true);
  });
});
