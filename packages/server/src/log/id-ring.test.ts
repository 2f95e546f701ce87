import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdRing } from "./id-ring.js";

const find = (ring: IdRing, id: string): number | undefined => {
  const bytes = Buffer.from(id);
  return ring.find(bytes, 0, bytes.length);
};
const add = (ring: IdRing, id: string): number | undefined => {
  const bytes = Buffer.from(id);
  return ring.findOrAdd(bytes, 0, bytes.length);
};

describe("IdRing", () => {
  it("is what a map would be, whatever comes in and goes out at either end", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ id: fc.string({ maxLength: 60, unit: "grapheme" }) }) },
      { weight: 4, arbitrary: fc.record({ id: fc.nat(40).map((n) => `id-${n}`) }) },
      { weight: 2, arbitrary: fc.record({ again: fc.nat(40).map((n) => `id-${n}`) }) },
      { weight: 1, arbitrary: fc.constantFrom("first" as const, "last" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 0, max: 2 ** 50 }), (steps, start) => {
        const ring = new IdRing();
        ring.restart(start);
        let held: (string | undefined)[] = [];
        let first = start;
        for (const taken of steps) {
          if (taken === "first" && held.length > 0) {
            ring.dropFirst();
            held = held.slice(1);
            first += 1;
          } else if (taken === "last" && held.length > 0) {
            ring.dropLast();
            held = held.slice(0, -1);
          } else if (typeof taken === "object" && "again" in taken) {
            ring.add(Buffer.from(taken.again));
            // No longer what is found by its name.
            held = [...held.map((id) => (id === taken.again ? undefined : id)), taken.again];
          } else if (typeof taken === "object") {
            const at = held.indexOf(taken.id);
            expect(add(ring, taken.id)).toBe(at === -1 ? undefined : first + at);
            if (at === -1) held.push(taken.id);
          }
          expect([ring.first, ring.next]).toEqual([first, first + held.length]);
        }
        for (const [index, id] of held.entries()) if (id !== undefined) expect(find(ring, id)).toBe(first + index);
      }),
    );
  });

  it("grows past its first slots, and goes round them when the oldest leave", () => {
    const ring = new IdRing();
    const wrong = (count: number, known: number): number[] =>
      Array.from({ length: count }, (_, n) => n).filter((n) => find(ring, `id-${n}`) !== (n < known ? undefined : n));
    for (let n = 0; n < 20_000; n += 1) add(ring, `id-${n}`);
    expect(wrong(20_000, 0)).toEqual([]);
    for (let n = 20_000; n < 60_000; n += 1) {
      ring.dropFirst();
      add(ring, `id-${n}`);
    }
    expect([ring.first, ring.next]).toEqual([40_000, 60_000]);
    expect(wrong(60_000, 40_000)).toEqual([]);
  });

  it.each([0, 1, 42, 43, 44, 45, 1000])("tells ids of %i bytes apart by their last one", (length) => {
    const ring = new IdRing();
    const ids = length === 0 ? [""] : ["a", "b", "\0"].map((last) => "x".repeat(length - 1) + last);
    for (const id of ids) expect(add(ring, id)).toBeUndefined();
    for (const [index, id] of ids.entries()) expect(find(ring, id)).toBe(index);
    expect(find(ring, `${ids[0]}\0`), "padding is no part of an id").toBeUndefined();
  });

  it("finds the newer one of two where an id was added again, and after it none", () => {
    const ring = new IdRing();
    ring.add(Buffer.from("id"));
    ring.add(Buffer.from("id"));
    expect(find(ring, "id")).toBe(1);
    ring.dropFirst();
    expect(find(ring, "id")).toBe(1);
    ring.dropFirst();
    expect(find(ring, "id")).toBeUndefined();
  });

  it("takes one id 200,000 times, as a log without dedup may hold it, in no more time than others", () => {
    const ring = new IdRing();
    const id = Buffer.from("id");
    for (let n = 0; n < 200_000; n += 1) ring.add(id);
    expect(add(ring, "other")).toBeUndefined();
    expect(find(ring, "id")).toBe(199_999);
    for (let n = 0; n < 200_000; n += 1) ring.dropFirst();
    expect([find(ring, "id"), find(ring, "other")]).toEqual([undefined, 200_000]);
  });
});
