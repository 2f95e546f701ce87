import { describe, expect, it } from "vitest";
import { createCursorKeeper } from "./cursor-keeper.js";
import { type Cursor, localStorageCursors, memoryCursors } from "./cursor-store.js";
import { collect, fakeWorld, goLive } from "./testing/fake-world.js";
import { ManualEnvironment, settled } from "./testing/manual-environment.js";

function tally(): { cursorFailures: number } {
  return { cursorFailures: 0 };
}

describe("cursor keeper", () => {
  it("saves the last of many moves, once a second", async () => {
    const environment = new ManualEnvironment();
    const saved: [string, Cursor][] = [];
    const store = { load: () => undefined, save: (name: string, cursor: Cursor) => void saved.push([name, cursor]) };
    const keeper = createCursorKeeper(store, environment, tally());
    for (let seq = 1; seq <= 10; seq += 1) keeper.moved("a", { seq });
    keeper.moved("b", { seq: 1 });
    expect(saved).toEqual([]);
    await environment.advance(1_000);
    expect(saved).toEqual([
      ["a", { seq: 10 }],
      ["b", { seq: 1 }],
    ]);
    expect(environment.timers).toBe(0);
  });

  it("counts what a store throws, and goes on", async () => {
    const failing = {
      load: () => Promise.reject(new Error("load")),
      save: () => {
        throw new Error("save");
      },
    };
    const counted = tally();
    const keeper = createCursorKeeper(failing, new ManualEnvironment(), counted);
    expect(await keeper.load("a")).toBeUndefined();
    keeper.moved("a", { seq: 1 });
    keeper.flush();
    await settled();
    expect(counted.cursorFailures).toBe(2);
  });
});

describe("cursor stores", () => {
  it("remember by name", () => {
    const values = new Map<string, string>();
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
    };
    for (const store of [memoryCursors(), localStorageCursors(storage)]) {
      expect(store.load("a")).toBeUndefined();
      void store.save("a", { seq: 7, epoch: "e" });
      expect(store.load("a")).toEqual({ seq: 7, epoch: "e" });
    }
    expect([...values.keys()]).toEqual(["sluice:a"]);
  });
});

describe("a subscription's cursor", () => {
  it("counts what was handled, and not what was only handed out", async () => {
    const world = fakeWorld();
    const subscription = world.sluice.subscribe({ events: ["A"] });
    await settled();
    await goLive(world, 10);
    expect(subscription.cursor).toEqual({ seq: 10, epoch: "e1" });
    world.socket.events(11, 12);
    await subscription.next();
    world.socket.receive({ type: "ping", timestamp: "", seq: 20 });
    expect(subscription.cursor?.seq).toBe(10);
    await subscription.next();
    expect(subscription.cursor?.seq).toBe(11);
    void subscription.next();
    await settled();
    world.socket.receive({ type: "ping", timestamp: "", seq: 20 });
    expect(subscription.cursor?.seq).toBe(20);
  });

  it("moves over pages in which nothing was wanted", async () => {
    const world = fakeWorld({ cursorStore: { load: async () => ({ seq: 3, epoch: "e1" }), save: () => {} } });
    const subscription = world.sluice.subscribe({ events: ["A"] });
    collect(subscription);
    await settled();
    await goLive(world, 10);
    expect(subscription.cursor).toEqual({ seq: 10, epoch: "e1" });
  });
});
