import { beforeEach, describe, expect, it } from "vitest";
import { websocketEncoding } from "../routing/websocket-encoding.js";
import { CatchUpTurns } from "./catch-up-turns.js";
import { Consumer } from "./consumer.js";
import { RecordingSink } from "./contract/recording-sink.js";
import type { EventLoop } from "./event-loop.js";

/** An event loop that a test turns by hand. */
class ManualLoop implements EventLoop {
  now = 1_000_000;
  idle = 0;
  live = 0;
  #due: (() => void)[] = [];
  readonly timers: { readonly atMs: number; readonly run: () => void }[] = [];

  idleMs(): number {
    return this.idle;
  }

  nextTurn(run: () => void): void {
    this.#due.push(run);
  }

  later(ms: number, run: () => void): void {
    this.timers.push({ atMs: this.now + ms, run });
  }

  get isDue(): boolean {
    return this.#due.length > 0;
  }

  turn(): void {
    for (const run of this.#due.splice(0)) run();
  }

  rest(ms: number): void {
    this.now += ms;
    this.idle += ms;
    for (const { run } of this.timers.splice(0)) run();
  }

  deliver(ms: number): void {
    this.now += ms;
    this.live += ms;
  }
}

let loop: ManualLoop;
let turns: CatchUpTurns;
let served: string[];
let msPerSlice: number;
let begun: number;

beforeEach(() => {
  loop = new ManualLoop();
  served = [];
  msPerSlice = 0.1;
  begun = 0;
  turns = new CatchUpTurns({
    clock: { now: () => loop.now, wall: () => 0 },
    eventLoop: loop,
    liveMs: () => loop.live,
    onTurn: () => {
      begun += 1;
    },
    run: (consumer) => {
      loop.now += msPerSlice;
      served.push(consumer.id);
      return 1;
    },
  });
});

function consumerOf(id: string, over: { readonly awayMs?: number; readonly catchingUp?: boolean } = {}): Consumer {
  const consumer = new Consumer({
    id,
    encoding: websocketEncoding,
    sink: new RecordingSink(),
    policy: "replay",
    maxMessages: 10,
    position: 0,
    now: loop.now - (over.awayMs ?? 0),
  });
  consumer.buffer.catchingUp = over.catchingUp ?? false;
  return consumer;
}

/** Live delivery that leaves those who catch up nothing of what they saved. */
function busy(): void {
  loop.deliver(50);
  turns.add(consumerOf("first", { catchingUp: true }));
  msPerSlice = 8;
  loop.turn();
  loop.turn();
  while (loop.isDue) loop.turn();
  msPerSlice = 0.1;
  served = [];
}

describe("CatchUpTurns", () => {
  it("gives each that asks a slice in turn, at most 16 writes or 1 ms of them at a time", () => {
    const consumers = Array.from({ length: 40 }, (_, index) => consumerOf(`c-${index}`, { catchingUp: true }));
    for (const consumer of consumers) turns.add(consumer);
    loop.turn();
    const first = served.length;
    expect(first).toBeGreaterThanOrEqual(10);
    expect(first).toBeLessThanOrEqual(11);
    msPerSlice = 0.001;
    loop.turn();
    expect(served.length).toBe(first + 16);
    while (loop.isDue) loop.turn();
    expect(served).toEqual(consumers.map(({ id }) => id));
    expect(loop.timers).toEqual([]);
    expect(begun).toBe(3);
  });

  it("gives none to one that no longer waits", () => {
    const [one, other] = [consumerOf("one"), consumerOf("other")];
    turns.add(one);
    turns.add(other);
    turns.delete(one);
    loop.turn();
    expect(served).toEqual(["other"]);
  });

  it.each([
    ["fell behind a moment ago", { awayMs: 999 }, true],
    ["fell behind a second ago", { awayMs: 1001 }, false],
    ["asked for what it had missed", { catchingUp: true }, false],
  ] as const)("beside busy live delivery one who %s waits or not", (_what, over, isAtOnce) => {
    busy();
    turns.add(consumerOf("x", over));
    turns.add(consumerOf("y", over));
    loop.turn();
    expect(served).toEqual(isAtOnce ? ["x", "y"] : []);
    while (loop.timers.length > 0) loop.rest(1);
    loop.turn();
    expect(served).toEqual(["x", "y"]);
    expect(loop.timers, "nothing waits for nobody").toEqual([]);
  });

  it("are shorter beside live delivery", () => {
    loop.deliver(10);
    for (let index = 0; index < 20; index += 1) turns.add(consumerOf(`c-${index}`, { catchingUp: true }));
    loop.turn();
    expect(served.length).toBe(3);
  });

  it("serves those near while those far wait, and both when there is time", () => {
    busy();
    turns.add(consumerOf("far", { catchingUp: true }));
    for (let round = 0; round < 3; round += 1) {
      turns.add(consumerOf(`near-${round}`));
      loop.turn();
    }
    expect(served).toEqual(["near-0", "near-1", "near-2"]);
    expect(loop.timers.length).toBe(1);
    loop.rest(2);
    expect(served.at(-1)).toBe("far");
  });
});
