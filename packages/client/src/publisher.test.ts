import { describe, expect, it } from "vitest";
import type { NewEvent } from "./publisher.js";
import { fakeWorld } from "./testing/fake-world.js";
import { settled } from "./testing/manual-environment.js";

const event = (n: number): NewEvent => ({ event_type: "A", payload: { n } });
const ids = (body: unknown): string[] => (body as { event_id: string }[]).map(({ event_id }) => event_id);

describe("publish", () => {
  it("puts what waits into one request, in order, and 500 at most", async () => {
    const world = fakeWorld();
    await world.sluice.publish([]);
    const calls = Array.from({ length: 501 }, (_, n) => world.sluice.publish(event(n)));
    await Promise.all(calls);
    const sizes = world.log.requests.map(({ body }) => (body as unknown[]).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(501);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    const numbers = world.log.requests.flatMap(({ body }) =>
      (body as { payload: { n: number } }[]).map(({ payload }) => payload.n),
    );
    expect(numbers).toEqual(Array.from({ length: 501 }, (_, n) => n));
    expect(world.sluice.counters.published).toBe(501);
  });

  it("tries again with the same ids", async () => {
    const world = fakeWorld();
    world.log.answers.push(new Error("reset"), { status: 503 });
    const published = world.sluice.publish([event(1), { ...event(2), event_id: "mine" }]);
    await settled();
    await world.environment.advance(2_000);
    const { event_ids } = await published;
    expect(event_ids).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), "mine"]);
    expect(world.log.requests.map(({ body }) => ids(body))).toEqual([event_ids, event_ids, event_ids]);
  });

  it("rejects the call whose event was refused, and no other", async () => {
    const world = fakeWorld();
    world.log.answers.push(
      { status: 202, json: { first_seq: 1, last_seq: 1 } },
      ...[400, 202, 400, 400, 202].map((status) => ({ status, json: { detail: "bad", first_seq: 2, last_seq: 3 } })),
    );
    await world.sluice.publish(event(0));
    const calls = [1, 2, 3, 4].map((n) => world.sluice.publish(event(n)));
    const results = await Promise.allSettled(calls);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(results[2]).toMatchObject({ reason: { code: "REFUSED", problem: { detail: "bad" } } });
  });

  it("tells where the events of the request stand, and whether they had been there", async () => {
    const world = fakeWorld();
    world.log.answers.push({ status: 202, json: { accepted: 2, first_seq: 7, last_seq: 8, duplicates: 1 } });
    const both = [world.sluice.publish({ ...event(1), event_id: "a" }), world.sluice.publish(event(2))];
    await settled();
    expect(await both[0]).toEqual({ accepted: 1, event_ids: ["a"], first_seq: 7, last_seq: 8, duplicates: 1 });
    expect(await both[1]).toMatchObject({ accepted: 1, first_seq: 7 });
    expect(await world.sluice.publish([])).toMatchObject({ accepted: 0, first_seq: 0 });
  });

  it("doesn't take what isn't Sluice for it", async () => {
    const world = fakeWorld();
    world.log.answers.push({ status: 200, json: { hello: "world" } });
    await expect(world.sluice.publish(event(1))).rejects.toMatchObject({ code: "REFUSED" });
  });

  it("gives up after the time that was asked for, and tells of every try before", async () => {
    const retries: unknown[] = [];
    const world = fakeWorld({
      fetch: async () => Promise.reject(new Error("down")),
      publishForMs: 600,
      onRetry: ({ code, cause }, ms) => retries.push(code, (cause as Error).message, ms),
    });
    const published = world.sluice.publish(event(1)).catch((error: unknown) => error);
    await settled();
    await world.environment.advance(500);
    expect(await published).toMatchObject({ code: "UNAVAILABLE" });
    expect(retries).toEqual(["UNAVAILABLE", "down", 500]);
  });

  it.each([9_999, 10_000, 10_001])("of 10,000 that may wait takes %i", async (count) => {
    const world = fakeWorld({ fetch: () => new Promise(() => {}) });
    void world.sluice.publish(Array.from({ length: count - 1 }, (_, n) => event(n))).catch(() => {});
    const last = world.sluice.publish(event(count)).catch((error: unknown) => error);
    await settled();
    const outcome = await Promise.race([last, settled().then(() => "waits")]);
    if (count > 10_000) expect(outcome).toMatchObject({ code: "QUEUE_FULL" });
    else expect(outcome).toBe("waits");
    world.sluice.close();
  });

  it("gives up after 100 s, and at once when closed", async () => {
    const world = fakeWorld({ fetch: async () => Promise.reject(new Error("down")) });
    const published = world.sluice.publish(event(1)).catch((error: unknown) => error);
    await settled();
    await world.environment.advance(100_000);
    expect(await published).toMatchObject({ code: "UNAVAILABLE" });
    const waiting = world.sluice.publish(event(2)).catch((error: unknown) => error);
    await settled();
    world.sluice.close();
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    await expect(world.sluice.publish(event(3))).rejects.toMatchObject({ code: "CLOSED" });
    expect(world.environment.timers).toBe(0);
  });
});
