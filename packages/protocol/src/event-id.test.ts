import { expect, it } from "vitest";
import { newEventId } from "./event-id.js";

it("makes version 4 UUIDs, each once, with every digit in use", () => {
  const ids = Array.from({ length: 10_000 }, newEventId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  for (let position = 0; position < 36; position += 1) {
    const seen = new Set(ids.map((id) => id[position]));
    const fixed = [8, 13, 18, 23, 14].includes(position);
    expect(seen.size).toBe(fixed ? 1 : position === 19 ? 4 : 16);
  }
});
