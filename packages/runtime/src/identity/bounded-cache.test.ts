import { describe, expect, it } from "vitest";
import { BoundedCache, entryBytesMin } from "./bounded-cache.js";

function cache(bytesMax: number) {
  const time = { now: 0 };
  return { time, held: new BoundedCache<string>({ clock: { now: () => time.now, wall: () => 0 }, bytesMax }) };
}

describe("BoundedCache", () => {
  it("forgets an entry when its time is over", () => {
    const { held, time } = cache(10_000);
    held.set("a", "A", 100, 10);
    time.now = 99;
    expect(held.get("a")).toBe("A");
    time.now = 100;
    expect(held.get("a")).toBeUndefined();
    expect(held.size).toBe(0);
  });

  it("forgets the least recently used first, by bytes", () => {
    const { held } = cache(3 * (entryBytesMin + 100));
    for (const key of ["a", "b", "c"]) held.set(key, key, 100, 100);
    expect(held.get("a")).toBe("a");
    held.set("d", "d", 100, 100);
    expect([held.get("a"), held.get("b"), held.get("c"), held.get("d")]).toEqual(["a", undefined, "c", "d"]);
    held.set("e", "e", 100, 300);
    expect(held.size).toBe(2);
  });

  it("knows which was used last, though it is the newest that is used again and again", () => {
    const { held } = cache(2 * (entryBytesMin + 100));
    held.set("a", "A", 100, 100);
    held.set("b", "B", 100, 100);
    expect([held.get("b"), held.get("b"), held.get("a"), held.get("a")]).toEqual(["B", "B", "A", "A"]);
    held.set("c", "C", 100, 100);
    expect([held.get("a"), held.get("b"), held.get("c")]).toEqual(["A", undefined, "C"]);
  });

  it("replaces without counting twice, and holds nothing that is too large or already over", () => {
    const { held } = cache(entryBytesMin + 100);
    for (let i = 0; i < 5; i++) held.set("a", String(i), 100, 100);
    expect(held.get("a")).toBe("4");
    held.set("b", "B", 100, 101);
    expect(held.get("b")).toBeUndefined();
    expect(held.get("a")).toBe("4");
    held.set("a", "A", 0, 1);
    expect(held.get("a")).toBeUndefined();
  });
});
