import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatheredChunks } from "./gathered-chunks.js";

describe("GatheredChunks", () => {
  it("comes to what was added, however it was cut", () => {
    const length = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(511, 512, 513, 1_023, 1_024, 1_025, 70_000),
    );
    fc.assert(
      fc.property(fc.array(length, { maxLength: 60 }), (lengths) => {
        const chunks = lengths.map((bytes, index) => Buffer.alloc(bytes, index + 1));
        const gathered = new GatheredChunks();
        for (const chunk of chunks) gathered.add(chunk);
        const whole = Buffer.concat(chunks);
        expect(gathered.length).toBe(whole.length);
        expect(gathered.concat().equals(whole)).toBe(true);
      }),
    );
  });

  it("hands a single chunk on as it is", () => {
    const gathered = new GatheredChunks();
    const chunk = Buffer.from("whole");
    gathered.add(chunk);
    expect(gathered.concat()).toBe(chunk);
  });
});
