import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DedupWindow } from "./dedup-window.js";

const claim = (dedup: DedupWindow, id: string, seq: number): number | undefined => {
  const bytes = Buffer.from(`before ${id} behind`);
  return dedup.claim(bytes, "before ".length, bytes.length - " behind".length, seq);
};

describe("DedupWindow", () => {
  it("is what a plain list of the newest ids would be, whatever is added and however time goes", () => {
    const add = fc.record({ count: fc.integer({ min: 0, max: 6 }), isDropped: fc.boolean() });
    const wait = fc.record({ ms: fc.nat(60) });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(add, wait), { maxLength: 60 }),
        fc.integer({ min: 0, max: 12 }),
        (steps, maxIds) => {
          const windowMs = 100;
          const dedup = new DedupWindow({ windowMs, maxIds });
          let model: { id: string; seq: number; atMs: number }[] = [];
          let [nowMs, seq] = [0, 1];
          for (const step of steps) {
            if ("ms" in step) {
              nowMs += step.ms;
              dedup.expire(nowMs);
              model = model.filter(({ atMs }) => nowMs - atMs < windowMs);
            } else {
              const added = Array.from({ length: step.count }, (_, at) => ({
                id: `id-${seq + at}`,
                seq: seq + at,
                atMs: nowMs,
              }));
              for (const { id, seq: at } of added) expect(claim(dedup, id, at)).toBeUndefined();
              for (const { id, seq: at } of added) expect(claim(dedup, id, seq + step.count)).toBe(at);
              if (step.isDropped) {
                dedup.drop();
                continue;
              }
              dedup.keep(nowMs);
              seq += step.count;
              model = [...model, ...added];
              model = model.slice(Math.max(0, model.length - maxIds));
            }
            expect(dedup.size).toBe(model.length);
            for (let known = 1; known < seq; known += 1) {
              expect(dedup.seqOf(Buffer.from(`id-${known}`))).toBe(model.find(({ id }) => id === `id-${known}`)?.seq);
            }
          }
        },
      ),
    );
  });

  it("forgets in as many steps as it is told to, and what is left is known until then", () => {
    const dedup = new DedupWindow({ windowMs: 100, maxIds: 100 });
    for (let seq = 1; seq <= 10; seq += 1) {
      claim(dedup, `id-${seq}`, seq);
      if (seq % 3 === 0) dedup.keep(seq);
    }
    dedup.keep(150);
    const sizes = [[dedup.expire(200, 0), dedup.size]];
    while (sizes.at(-1)?.[0] === false) sizes.push([dedup.expire(200, 4), dedup.size]);
    expect(sizes).toEqual([
      [false, 10],
      [false, 6],
      [false, 2],
      [true, 1],
    ]);
    expect([dedup.seqOf(Buffer.from("id-9")), dedup.seqOf(Buffer.from("id-10"))]).toEqual([undefined, 10]);
  });
});
