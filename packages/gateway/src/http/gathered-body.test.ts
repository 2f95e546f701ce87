import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { ByteBudget } from "@sluice/runtime";
import { describe, expect, it } from "vitest";
import { boundedBody } from "./bounded-body.js";
import { gatherBody } from "./gathered-body.js";

/** A request as far as its body goes. */
function requestOf(): { source: PassThrough; request: IncomingMessage } {
  const source = new PassThrough();
  return { source, request: source as unknown as IncomingMessage };
}

const bytesMax = 1_000;

describe("gatherBody", () => {
  it.each([
    [0, true],
    [bytesMax - 1, true],
    [bytesMax, true],
    [bytesMax + 1, false],
  ])("of %i bytes, byte by byte: whole is %s, and nothing is lost", async (count, isWhole) => {
    const { source, request } = requestOf();
    const budget = new ByteBudget(10_000);
    const gathering = gatherBody(request, bytesMax, budget);
    const sent = Buffer.from(Array.from({ length: count }, (_, n) => n % 251));
    for (const byte of sent) source.write(Buffer.from([byte]));
    source.end();
    using body = await gathering;
    expect(body?.isWhole).toBe(isWhole);
    const bytes = body?.bytes ?? Buffer.alloc(0);
    expect(bytes.length).toBe(Math.min(count, bytesMax));
    expect(isWhole ? bytes : await buffer(boundedBody(source, count, bytes))).toEqual(sent);
  });

  it("goes on as it comes where the budget is used up, which is given back", async () => {
    const budget = new ByteBudget(1_024);
    const [first, second] = [requestOf(), requestOf()];
    const held = gatherBody(first.request, bytesMax, budget);
    first.source.end(Buffer.alloc(600));
    using body = await held;
    const refused = gatherBody(second.request, bytesMax, budget);
    second.source.end(Buffer.alloc(600));
    using other = await refused;
    expect([body?.isWhole, other?.isWhole, other?.bytes.length]).toEqual([true, false, 0]);
    expect((await buffer(boundedBody(second.source, 600, Buffer.alloc(0)))).length).toBe(600);
    body?.[Symbol.dispose]();
    expect(budget.bytes).toBe(0);
  });

  it("holds nothing for a caller that has gone", async () => {
    const { source, request } = requestOf();
    const budget = new ByteBudget(10_000);
    const gathering = gatherBody(request, bytesMax, budget);
    source.write("x");
    await new Promise((resolve) => setImmediate(resolve));
    source.destroy();
    expect(await gathering).toBeUndefined();
    expect(budget.bytes).toBe(0);
  });
});
